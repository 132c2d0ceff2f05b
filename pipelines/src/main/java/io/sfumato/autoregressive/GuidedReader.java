package io.sfumato.autoregressive;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * Classifier-free guidance on logits (Gafni et al. 2022, 3.4): away from those of the empty prompts.
 *
 * @param both   draws 2n rows: n that read the empty prompts, then n that read the given ones
 * @param scale  1 leaves the given ones' logits as they are
 * @param tokens how many, from the first, are guided; the others are the given prompts' alone
 */
public record GuidedReader(TokenReader both, double scale, int tokens) implements TokenReader {
    @Override
    public Tensor first() {
        try (var scope = new Scope()) {
            return scope.keep(guide(both.first(), 0));
        }
    }

    @Override
    public Tensor next(Tensor picked, int place) {
        try (var scope = new Scope()) {
            return scope.keep(guide(both.next(picked.repeat(2), place), place));
        }
    }

    private Tensor guide(Tensor logits, int place) {                                        // (2n, V) to (n, V)
        Tensor[] halves = logits.chunk(2, 0);
        return place < tokens ? Decoding.guide(halves[0], halves[1], scale) : halves[1];
    }

    @Override
    public void close() {
        both.close();
    }
}
