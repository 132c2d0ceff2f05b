package io.sfumato.models.tokenizer;

import io.sfumato.tensor.Tensor;

/** Writes a picture as a grid of codes, and draws it again from them. */
public interface PictureTokenizer {
    /** Entries of the codebook: codes are 0 to {@code codes() - 1}. */
    int codes();

    /** Pixels that one code spans in each direction; a picture's sides are multiples of it. */
    int factor();

    /** Pictures (B, 3, H, W) in [0, 1] to codes (B, H/factor, W/factor) of int64; residual tokenizers add an axis of rounds. */
    Tensor encode(Tensor pictures);

    /** Codes, shaped as {@link #encode} gives them, to pictures (B, 3, H, W) in [0, 1]. */
    Tensor decode(Tensor codes);
}
