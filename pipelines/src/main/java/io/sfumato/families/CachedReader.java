package io.sfumato.families;

import io.sfumato.autoregressive.TokenReader;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.function.Supplier;

/**
 * A decoder of which nothing but keys and values stays from token to token.
 *
 * @param begin the logits (n, V) of the first token, after the prompt
 */
record CachedReader(KvCache cache, Supplier<Tensor> begin, Logits logits) implements TokenReader {
    /** Logits (n, V) of token {@code place} after {@code tokens} (n, 1), picked for place - 1. */
    @FunctionalInterface
    interface Logits {
        Tensor after(Tensor tokens, int place);
    }

    @Override
    public Tensor first() {
        try (var scope = new Scope()) {
            return scope.keep(begin.get());
        }
    }

    @Override
    public Tensor next(Tensor tokens, int place) {
        try (var scope = new Scope()) {
            return scope.keep(logits.after(tokens.unsqueeze(1), place));
        }
    }

    @Override
    public void close() {
        cache.close();
    }
}
