package io.sfumato.text;

import java.util.Arrays;
import java.util.List;

/** How BERT's tokenizer, and those that took it over, see words: its own idea of spaces, control characters and punctuation. */
final class BertWords {
    private BertWords() {
    }

    /**
     * Every kind of space as a plain one.
     *
     * @param controls whether control characters are dropped
     * @param chinese  whether Chinese characters stand alone
     */
    static String clean(String text, boolean controls, boolean chinese) {
        StringBuilder clean = new StringBuilder();
        text.codePoints().forEach(c -> {
            boolean space = c == '\t' || c == '\n' || c == '\r' || isWhite(c);
            if (controls && !space && (c == 0 || c == 0xFFFD || isControl(c))) {
                return;
            }
            if (controls && space) {
                clean.append(' ');
            } else if (chinese && isChinese(c)) {
                clean.append(' ').appendCodePoint(c).append(' ');
            } else {
                clean.appendCodePoint(c);
            }
        });
        return clean.toString();
    }

    /** Letter by letter: Java's own lower case of a whole text depends on what stands around a Greek sigma. */
    static String lower(String text) {
        StringBuilder lower = new StringBuilder();
        text.codePoints().forEach(c -> lower.append(c == 0x130 ? "i\u0307" : Character.toString(Character.toLowerCase(c))));
        return lower.toString();
    }

    /** Words between spaces; a punctuation mark is a word. */
    static List<String> split(String text) {
        StringBuilder parted = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (isWhite(c)) {
                parted.append('\n');
            } else if (isPunctuation(c)) {
                parted.append('\n').appendCodePoint(c).append('\n');
            } else {
                parted.appendCodePoint(c);
            }
        });
        return Arrays.stream(parted.toString().split("\n")).filter(word -> !word.isEmpty()).toList();
    }

    private static boolean isWhite(int c) {
        return c >= 9 && c <= 13 || c == 0x85 || Character.isSpaceChar(c);
    }

    private static boolean isControl(int c) {
        int type = Character.getType(c);
        return type == Character.CONTROL || type == Character.FORMAT || type == Character.UNASSIGNED || type == Character.PRIVATE_USE
                || type == Character.SURROGATE;
    }

    private static boolean isPunctuation(int c) {
        return c < 128 ? c > 32 && c < 127 && !Character.isLetterOrDigit(c) : switch (Character.getType(c)) {
            case Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION, Character.START_PUNCTUATION, Character.END_PUNCTUATION,
                    Character.INITIAL_QUOTE_PUNCTUATION, Character.FINAL_QUOTE_PUNCTUATION, Character.OTHER_PUNCTUATION -> true;
            default -> false;
        };
    }

    private static boolean isChinese(int c) {
        return c >= 0x4E00 && c <= 0x9FFF || c >= 0x3400 && c <= 0x4DBF || c >= 0x20000 && c <= 0x2A6DF || c >= 0x2A700 && c <= 0x2B73F
                || c >= 0x2B740 && c <= 0x2B81F || c >= 0x2B820 && c <= 0x2CEAF || c >= 0xF900 && c <= 0xFAFF
                || c >= 0x2F800 && c <= 0x2FA1F;
    }
}
