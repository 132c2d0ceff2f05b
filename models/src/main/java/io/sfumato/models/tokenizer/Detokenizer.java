package io.sfumato.models.tokenizer;

import io.sfumato.tensor.Tensor;

/** Draws a picture from a grid of codes. */
public interface Detokenizer {
    /** Entries of the codebook: codes are 0 to {@code codes() - 1}. */
    int codes();

    /** Pixels that one code spans in each direction. */
    int factor();

    /** Codes (B, h, w) of int64 to pictures (B, 3, h*factor, w*factor) in [0, 1]; residual tokenizers have an axis of rounds more. */
    Tensor decode(Tensor codes);
}
