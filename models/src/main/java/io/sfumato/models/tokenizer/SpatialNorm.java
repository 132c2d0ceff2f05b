package io.sfumato.models.tokenizer;

import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** Normalises, then scales and shifts each place as the latent there says: the modulation of MoVQ (Zheng et al. 2022, 3.2). */
final class SpatialNorm {
    /** Of the norms within, whatever the config says of others. */
    private static final int GROUPS = 32;

    private final GroupNorm norm;
    private final Conv2d scale;
    private final Conv2d shift;

    SpatialNorm(Weights w, int width, int latent, double eps) {
        norm = new GroupNorm(w.sub("norm_layer"), GROUPS, width, eps);
        scale = new Conv2d(w.sub("conv_y"), latent, width, 1);
        shift = new Conv2d(w.sub("conv_b"), latent, width, 1);
    }

    /** x (B, C, H, W) with latents (B, z, h, w). */
    Tensor forward(Tensor x, Tensor latents) {
        Tensor z = Functional.upsampleNearest(latents, x.size(2), x.size(3));               // (B, z, H, W)
        return norm.forward(x).mul(scale.forward(z)).add(shift.forward(z));
    }
}
