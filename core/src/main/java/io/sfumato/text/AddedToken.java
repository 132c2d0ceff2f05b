package io.sfumato.text;

/**
 * A token that is looked for in the text before it is cut into words: in the text as given, or, if {@code normalized}, in the
 * normalised text and in normalised spelling. {@code singleWord} wants no word character beside it, {@code lstrip} and {@code rstrip}
 * swallow the white space before and after it; a {@code special} one is left out of decoded text.
 */
record AddedToken(String content, boolean special, boolean normalized, boolean singleWord, boolean lstrip, boolean rstrip) {
    AddedToken {
        if (content.isEmpty()) {
            throw new IllegalArgumentException("an added token is empty; it needs at least one character");
        }
    }

    static AddedToken special(String content) {
        return new AddedToken(content, true, false, false, false, false);
    }

    static AddedToken plain(String content) {
        return new AddedToken(content, false, true, false, false, false);
    }
}
