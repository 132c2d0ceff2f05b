package io.sfumato.models.tokenizer;

import io.sfumato.tensor.Tensor;

/** Writes a picture as a grid of codes, too. */
public interface PictureTokenizer extends Detokenizer {
    /** Pictures (B, 3, H, W) in [0, 1], sides multiples of the factor, to codes as {@link #decode} takes them. */
    Tensor encode(Tensor pictures);
}
