package io.sfumato;

/**
 * What to draw, and what not to.
 *
 * @param text     the prompt; empty is allowed
 * @param negative what guidance leads away from; empty for none
 */
public record Prompt(String text, String negative) {
    public static Prompt of(String text) {
        return new Prompt(text, "");
    }

    public Prompt withNegative(String negative) {
        return new Prompt(text, negative);
    }
}
