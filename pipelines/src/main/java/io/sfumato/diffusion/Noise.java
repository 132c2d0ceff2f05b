package io.sfumato.diffusion;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/** Draws the next standard normal tensor with the shape, dtype and device of {@code like} (B, ...). */
@FunctionalInterface
public interface Noise {
    Tensor next(Tensor like);

    /** A Brownian motion over sigmas, for the samplers that want one: of noise without a seed, increments that do not fit together. */
    default Brownian brownian(Tensor like, double min, double max) {
        return (sigma, sigmaNext) -> next(like);
    }

    /** One generator for the whole batch, as one seed for several pictures. */
    static Noise shared(Rng rng) {
        return new Noise() {
            @Override
            public Tensor next(Tensor like) {
                return rng.randn(like.dtype(), like.shape()).to(like.device());
            }

            @Override
            public Brownian brownian(Tensor like, double min, double max) {
                return Brownian.tree(rng.seed(), like, min, max);
            }
        };
    }

    /** A generator for each picture of the batch: each then gets the noise that it would get alone. */
    static Noise each(Rng... rngs) {
        return new Noise() {
            @Override
            public Tensor next(Tensor like) {
                requireBatch(like);
                long[] shape = like.shape();
                shape[0] = 1;
                Tensor[] rows = new Tensor[rngs.length];
                for (int i = 0; i < rows.length; i++) {
                    rows[i] = rngs[i].randn(like.dtype(), shape);
                }
                return Tensor.cat(0, rows).to(like.device());
            }

            @Override
            public Brownian brownian(Tensor like, double min, double max) {
                requireBatch(like);
                return Brownian.trees(Arrays.stream(rngs).mapToLong(Rng::seed).toArray(), like, min, max);
            }

            private void requireBatch(Tensor like) {
                if (like.size(0) != rngs.length) {
                    throw new IllegalArgumentException(rngs.length + " generators for a batch of " + like.size(0));
                }
            }
        };
    }
}
