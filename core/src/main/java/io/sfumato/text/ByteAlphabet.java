package io.sfumato.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The 256 visible letters that stand for the 256 bytes in a byte-level vocabulary (Radford et al. 2019, "Language Models are Unsupervised
 * Multitask Learners", section 2.2): a byte that prints in Latin-1 stands for itself, the others are numbered from U+0100 on.
 */
final class ByteAlphabet {
    private static final char[] LETTERS = new char[256];                 // byte to letter
    private static final int[] BYTES = new int[512];                     // letter to byte, -1 where no byte has it

    static {
        Arrays.fill(BYTES, -1);
        int unseen = 256;
        for (int b = 0; b < 256; b++) {
            LETTERS[b] = prints(b) ? (char) b : (char) unseen++;
            BYTES[LETTERS[b]] = b;
        }
    }

    private ByteAlphabet() { }

    /** The letters in the order of CLIP's vocabulary: those that print, then the numbered ones. */
    static List<String> inVocabularyOrder() {
        return IntStream.concat(IntStream.range(0, 256).filter(ByteAlphabet::prints), IntStream.range(0, 256).filter(b -> !prints(b)))
                .mapToObj(b -> String.valueOf(LETTERS[b])).toList();
    }

    /** The UTF-8 bytes of a text as letters. */
    static String encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        var letters = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            letters[i] = LETTERS[bytes[i] & 0xff];
        }
        return new String(letters);
    }

    /** The text of some tokens; an added token may stand for itself, broken UTF-8 becomes U+FFFD. */
    static String decode(List<String> tokens) {
        var bytes = new ByteArrayOutputStream();
        for (String token : tokens) {
            boolean letters = token.chars().allMatch(c -> c < BYTES.length && BYTES[c] >= 0);
            if (letters) {
                token.chars().forEach(c -> bytes.write(BYTES[c]));
            } else {
                bytes.writeBytes(token.getBytes(StandardCharsets.UTF_8));
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static boolean prints(int b) {
        return b >= '!' && b <= '~' || b >= 0xa1 && b != 0xad;
    }
}
