package io.sfumato.autoregressive;

import io.sfumato.tensor.Tensor;

/** A network that has read a prompt and goes on from token to token, remembering keys and values; see {@link Decoding}. */
public interface TokenReader extends AutoCloseable {
    /** Logits (n, V) of the first token of each picture. */
    Tensor first();

    /** Logits (n, V) of token {@code place}, after {@code tokens} (n) were picked for place - 1. */
    Tensor next(Tensor tokens, int place);

    @Override
    void close();
}
