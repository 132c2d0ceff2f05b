package io.sfumato.diffusion;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;

/** Draws the next standard normal tensor with the shape, dtype and device of {@code like} (B, ...). */
@FunctionalInterface
public interface Noise {
    Tensor next(Tensor like);

    /** One generator for the whole batch, as one seed for several pictures. */
    static Noise shared(Rng rng) {
        return like -> rng.randn(like.dtype(), like.shape()).to(like.device());
    }

    /** A generator for each picture of the batch: each then gets the noise that it would get alone. */
    static Noise each(Rng... rngs) {
        return like -> {
            if (like.size(0) != rngs.length) {
                throw new IllegalArgumentException(rngs.length + " generators for a batch of " + like.size(0));
            }
            long[] shape = like.shape();
            shape[0] = 1;
            Tensor[] rows = new Tensor[rngs.length];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = rngs[i].randn(like.dtype(), shape);
            }
            return Tensor.cat(0, rows).to(like.device());
        };
    }
}
