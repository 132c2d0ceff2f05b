package io.sfumato.training.world;

import java.util.SplittableRandom;

/**
 * Which scenes are drawn. What is kept back is decided by a hash of the words alone, so it is the same for every configuration; training
 * scenes have none of it, and neither have the held-out ones, which differ by their seeds only.
 */
public enum Split {
    TRAINING, HELD_OUT,
    /** A colour on a noun that training scenes never show together. */
    UNSEEN_COLOURS,
    /** Two nouns that training scenes never show together. */
    UNSEEN_PAIRS,
    /** Sentences that training captions never use, about scenes as in training. */
    UNSEEN_PHRASINGS,
    /** Names of nouns that training captions never use, about scenes as in training. */
    UNSEEN_SYNONYMS;

    private static final int ONE_IN = 8;

    /** The first of the seeds of held-out scenes; those of training scenes are 0 to this, not counted. */
    public static final long FIRST_HELD_OUT = 1L << 40;

    /** The seed of scene {@code index} of this split, 0 or more. */
    long seed(long index) {
        if (index < 0 || index >= FIRST_HELD_OUT) {
            throw new IllegalArgumentException("A scene's index must be 0 or more and less than 2^40, got " + index);
        }
        return index + ordinal() * FIRST_HELD_OUT;
    }

    static boolean keepsBackColour(String colour, String noun) {
        return keptBack(colour + " " + noun);
    }

    static boolean keepsBackPair(String a, String b) {
        return keptBack(a.compareTo(b) < 0 ? a + " & " + b : b + " & " + a);
    }

    static boolean keepsBackPhrasing(String template) {
        return keptBack(template);
    }

    static boolean keepsBackSynonym(String synonym) {
        return keptBack("synonym " + synonym);
    }

    private static boolean keptBack(String words) {
        return new SplittableRandom(words.hashCode()).nextInt(ONE_IN) == 0;
    }
}
