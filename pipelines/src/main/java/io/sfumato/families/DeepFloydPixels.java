package io.sfumato.families;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;

/** Given pictures as {@link DeepFloyd}'s stages see them. */
final class DeepFloydPixels {
    private DeepFloydPixels() {
    }

    /** (1, 3, height, width) in [-1, 1]; what shines through is white. */
    static Tensor of(Image picture, int width, int height) {
        Image fitting = picture.over(0xffffff).resize(width, height, Resampling.BICUBIC);
        return Tensor.of(fitting.toChw(), 1, 3, height, width).mul(2).sub(1);
    }

    /** 1 where the mask is nearer to white than to black, else 0: (1, 1, height, width). */
    static Tensor mask(Image mask, int width, int height) {
        Tensor grey = StableDiffusionPixels.grey(mask.over(0)).squeeze(0).permute(1, 2, 0);
        byte[] bytes = grey.expand(mask.height(), mask.width(), 3).contiguous().to(DType.U8).toBytes();
        Image fitting = Image.of(mask.width(), mask.height(), 3, bytes).resize(width, height, Resampling.BICUBIC);
        return Tensor.of(fitting.toChw(), 1, 3, height, width).narrow(1, 0, 1).lt(0.5).to(DType.F32).neg().add(1);
    }
}
