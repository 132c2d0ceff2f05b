package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;
import java.util.stream.LongStream;

/** Classifier-free guidance on a network's raw answers. */
public final class Guidance {
    private Guidance() {
    }

    /** D_u + w (D_c - D_u) (Ho and Salimans 2022); w 1 is no guidance. */
    public static Tensor guide(Tensor unconditional, Tensor conditional, double w) {
        return unconditional.add(conditional.sub(unconditional).mul(w));
    }

    /**
     * Brings the spread of {@code guided} (B, ...) back towards the {@code conditional} answer's by the share {@code phi} in [0, 1]
     * (Lin et al. 2023, section 3.4).
     */
    public static Tensor rescale(Tensor guided, Tensor conditional, double phi) {
        long[] dims = LongStream.range(1, guided.dim()).toArray();
        Tensor rescaled = guided.mul(conditional.std(true, dims).div(guided.std(true, dims)));
        return rescaled.mul(phi).add(guided.mul(1 - phi));
    }
}
