package io.sfumato.training.world;

import java.util.List;

/** How much of its place a thing fills, and the words for it. */
public enum Size {
    SMALL(0.48, 0.58, "small", "little", "tiny"), MEDIUM(0.74, 0.88), LARGE(0.94, 1, "big", "large", "huge");

    final double low;
    final double high;
    private final List<String> words;

    Size(double low, double high, String... words) {
        this.low = low;
        this.high = high;
        this.words = List.of(words);
    }

    /** None for {@link #MEDIUM}. */
    public List<String> words() {
        return words;
    }
}
