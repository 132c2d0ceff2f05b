package io.sfumato;

/**
 * Where the image embedding that a picture is drawn from is turned to, and how far: unCLIP's interpolations and text diffs (Ramesh et al.
 * 2022, 3.2 and 3.3).
 *
 * @param from  of {@link Kind#DIFFERENCE}: what the picture is, as {@code "a photo of a cat"}; else empty
 * @param to    of {@link Kind#TEXT}: the text to end at; of {@link Kind#DIFFERENCE}: what the picture becomes; else empty
 * @param share of the way, 0 to 1
 */
public record Turn(Kind kind, String from, String to, double share) {
    /** What an embedding is turned to. */
    public enum Kind {
        /** Nothing: it stays. */
        NONE,
        /** A picture's: the prompt's {@link Prompt.Role#TOWARD}. */
        PICTURE,
        /** The one that the prior imagines for a text. */
        TEXT,
        /** The direction that leads from one text to another. */
        DIFFERENCE
    }

    public Turn {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("the share of the way must be 0 to 1, not " + share);
        }
        if (kind == Kind.DIFFERENCE && from.equals(to)) {
            throw new IllegalArgumentException("the texts to go from and to are both '" + to + "': nothing leads from one to the other");
        }
    }

    static Turn none() {
        return new Turn(Kind.NONE, "", "", 0);
    }

    Turn at(double share) {
        return new Turn(kind, from, to, share);
    }
}
