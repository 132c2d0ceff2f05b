package io.sfumato.families;

import io.sfumato.models.parti.SuperResolution;
import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** A tokenizer whose pictures are enlarged behind it, {@code times} times. */
record Enlarged(PictureTokenizer inner, SuperResolution network, int times) implements PictureTokenizer {
    @Override
    public int codes() {
        return inner.codes();
    }

    @Override
    public int factor() {
        return inner.factor() * times;
    }

    @Override
    public Tensor encode(Tensor pictures) {
        return inner.encode(Functional.avgPool2d(pictures, times));
    }

    @Override
    public Tensor decode(Tensor codes) {
        return network.forward(inner.decode(codes)).clamp(0, 1);
    }
}
