package io.sfumato;

/**
 * How a model that writes pictures as tokens picks the next one.
 *
 * @param temperature  what logits are divided by; 0 always takes the most likely token
 * @param topK         most likely tokens to pick among, and those that tie with the last of them; 0 for all
 * @param topP         share of probability that the most likely tokens to pick among have together, above 0 to 1
 * @param guidedTokens tokens from the first on that guidance acts on
 */
public record Picking(double temperature, int topK, double topP, int guidedTokens) {
    /** Guidance acts on every token. */
    public static final int ALL = Integer.MAX_VALUE;

    public Picking {
        if (!(temperature >= 0 && temperature <= 1000)) {
            throw new IllegalArgumentException("temperature must be 0 to 1000, not " + temperature);
        }
        if (topK < 0) {
            throw new IllegalArgumentException("top-k must be 0 or more, not " + topK);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("top-p must be above 0 and at most 1, not " + topP);
        }
        if (guidedTokens < 0) {
            throw new IllegalArgumentException("guided tokens must be 0 or more, not " + guidedTokens);
        }
    }

    /** Temperature 1 among all tokens. */
    public static Picking defaults() {
        return new Picking(1, 0, 1, ALL);
    }

    public Picking withTemperature(double temperature) { return new Picking(temperature, topK, topP, guidedTokens); }
    public Picking withTopK(int topK) { return new Picking(temperature, topK, topP, guidedTokens); }
    public Picking withTopP(double topP) { return new Picking(temperature, topK, topP, guidedTokens); }
    public Picking withGuidedTokens(int guidedTokens) { return new Picking(temperature, topK, topP, guidedTokens); }
}
