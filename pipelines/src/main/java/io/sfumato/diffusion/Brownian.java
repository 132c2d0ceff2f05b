package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/** A Brownian motion over sigma: its increment between two of them, divided by its standard deviation. */
@FunctionalInterface
public interface Brownian {
    Tensor next(double sigma, double sigmaNext);

    /** One motion for the whole batch: the same whatever steps it is asked for. */
    static Brownian tree(long seed, Tensor like, double min, double max) {
        return new BrownianTree(seed, like.shape(), (float) min, (float) max);
    }

    /** A motion for each picture of the batch: each then gets the noise that it would get alone. */
    static Brownian trees(long[] seeds, Tensor like, double min, double max) {
        long[] shape = like.shape();
        shape[0] = 1;
        BrownianTree[] trees = new BrownianTree[seeds.length];
        for (int i = 0; i < trees.length; i++) {
            trees[i] = new BrownianTree(seeds[i], shape, (float) min, (float) max);
        }
        return (sigma, sigmaNext) -> {
            Tensor[] rows = new Tensor[trees.length];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = trees[i].next(sigma, sigmaNext);
            }
            return Tensor.cat(0, rows);
        };
    }
}
