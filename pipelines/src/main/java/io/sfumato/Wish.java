package io.sfumato;

/** One picture of several that are wanted, or {@code options.count()} of them: each with a prompt, a seed, a size of its own. */
public record Wish(Prompt prompt, Options options) {
}
