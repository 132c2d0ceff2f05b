package io.sfumato.models.tokenizer;

import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * PatchGAN (Isola et al. 2017, 3.2.2), as VQGAN's adversary: tells for each patch of a picture how real it looks. Only training needs it;
 * groups are normalised in place of batches, so that pictures do not see each other.
 */
public final class PatchDiscriminator {
    private static final int GROUPS = 4;
    private static final double EPS = 1e-5;

    private final List<Conv2d> convolutions = new ArrayList<>();
    private final List<GroupNorm> norms = new ArrayList<>();
    private final Conv2d out;

    /**
     * @param width  channels of the first layer, a multiple of 4
     * @param layers that halve the size
     */
    public PatchDiscriminator(Weights w, int width, int layers) {
        int in = 3;
        for (int i = 0; i < layers; i++) {
            int to = width * Math.min(8, 1 << i);
            convolutions.add(new Conv2d(w.sub("layers").sub("" + i).sub("conv"), in, to, 4, 2, 1));
            norms.add(new GroupNorm(w.sub("layers").sub("" + i).sub("norm"), GROUPS, to, EPS));
            in = to;
        }
        out = new Conv2d(w.sub("out"), in, 1, 3);
    }

    /** Pictures (B, 3, H, W) to logits (B, 1, h, w): positive is real. */
    public Tensor forward(Tensor x) {
        try (var scope = new Scope()) {
            for (int i = 0; i < convolutions.size(); i++) {
                Tensor h = norms.get(i).forward(convolutions.get(i).forward(x));
                x = h.max(h.mul(0.2));                                                      // a leaky ReLU
            }
            return scope.keep(out.forward(x));
        }
    }
}
