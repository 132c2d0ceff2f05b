package io.sfumato.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The words that CLIP's merges work on, by the rules of transformers 5: Unicode NFC, runs of white space to one space, lower case letter by
 * letter, then runs of letters, single digits, runs of anything else, and the English endings such as 's.
 */
final class ClipWords {
    private static final Pattern SPACES = Pattern.compile("\\p{IsWhite_Space}+");
    /** A special token in lower case that was no token in the text stays apart from its neighbours, in three words. */
    private static final Pattern WORD = Pattern.compile("(<\\|)(startoftext|endoftext)(\\|>)|'s|'t|'re|'ve|'m|'ll|'d"
            + "|\\p{L}+|\\p{N}|[^\\p{IsWhite_Space}\\p{L}\\p{N}]+");

    private ClipWords() { }

    static String normalize(String text) {
        String composed = SPACES.matcher(Normalizer.normalize(text, Normalizer.Form.NFC)).replaceAll(" ");
        var lower = new StringBuilder(composed.length());
        composed.codePoints().forEach(c -> appendLowerCase(c, lower));
        return lower.toString();
    }

    /** The words of a normalised text, without end mark, spelt in the byte alphabet. */
    static List<String> split(String normalized) {
        var words = new ArrayList<String>();
        var word = WORD.matcher(normalized);
        while (word.find()) {
            if (word.group(1) == null) {
                words.add(ByteAlphabet.encode(word.group()));
            } else {
                words.addAll(List.of(word.group(1), word.group(2), word.group(3)));
            }
        }
        return words;
    }

    /** White space as Unicode defines it; the separators U+001C to U+001F are none. */
    static boolean isSpace(int c) {
        return Character.isSpaceChar(c) || c >= '\t' && c <= '\r' || c == 0x85;
    }

    /** Not String.toLowerCase: that turns the last sigma of a Greek word into another letter, which the reference does not. */
    private static void appendLowerCase(int c, StringBuilder out) {
        if (c == 'İ') {
            out.append("i\u0307");                                       // the only letter whose lower case is two characters
        } else {
            out.appendCodePoint(Character.toLowerCase(c));
        }
    }
}
