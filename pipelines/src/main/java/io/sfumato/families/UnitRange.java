package io.sfumato.families;

import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.tensor.Tensor;

/** A VQGAN that was trained on pictures in [0, 1] as they are, as aMUSEd's was, and not on [-1, 1]. */
record UnitRange(VqGan inner) implements PictureTokenizer {
    @Override
    public int codes() {
        return inner.codes();
    }

    @Override
    public int factor() {
        return inner.factor();
    }

    @Override
    public Tensor encode(Tensor pictures) {
        return inner.codes(inner.latents(pictures));
    }

    @Override
    public Tensor decode(Tensor codes) {
        return inner.picture(inner.quantized(codes)).clamp(0, 1);
    }
}
