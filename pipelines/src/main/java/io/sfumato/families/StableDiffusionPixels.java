package io.sfumato.families;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Pictures as tensors of one row each. */
final class StableDiffusionPixels {
    private StableDiffusionPixels() {
    }

    /** (1, 3, height, width) in [-1, 1]; what shines through is white. */
    static Tensor of(Image picture, int width, int height) {
        Image fitting = picture.over(0xffffff).resize(width, height, Resampling.LANCZOS);
        return Tensor.of(fitting.toChw(), 1, 3, height, width).mul(2).sub(1);
    }

    /** 1 where the mask is nearer to white than to black, else 0: (1, 1, height, width). */
    static Tensor mask(Image mask, int width, int height) {
        return grey(mask.over(0).resize(width, height, Resampling.LANCZOS)).lt(128).to(DType.F32).neg().add(1);
    }

    /** Brightness from 0 to 255, (1, 1, H, W): Rec. 601, in the whole numbers of Pillow's grey images. */
    static Tensor grey(Image image) {
        float[] grey = new float[image.width() * image.height()];
        for (int i = 0; i < grey.length; i++) {
            int x = i % image.width(), y = i / image.width();
            grey[i] = image.at(x, y, 0) * 19595 + image.at(x, y, 1) * 38470 + image.at(x, y, 2) * 7471 + 0x8000 >> 16;
        }
        return Tensor.of(grey, 1, 1, image.height(), image.width());
    }

    /** Pictures (B, 3, H, W) in [0, 1]. */
    static List<Image> images(Tensor pictures) {
        try (var scope = new Scope()) {
            List<Image> images = new ArrayList<>();
            for (int i = 0; i < pictures.size(0); i++) {
                images.add(Image.fromChw(pictures.select(0, i).contiguous().toFloats(), (int) pictures.size(3), (int) pictures.size(2)));
            }
            return images;
        }
    }
}
