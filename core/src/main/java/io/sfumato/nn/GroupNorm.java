package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** Normalises (B, C, ...) over each of {@code groups} groups of channels (Wu and He 2018), then scales and shifts each channel. */
public final class GroupNorm {
    private final Tensor weight;
    private final Tensor bias;
    private final long groups;
    private final double eps;

    public GroupNorm(Weights w, long groups, long channels, double eps) {
        if (groups < 1 || channels % groups != 0) {
            throw new IllegalArgumentException("norm_num_groups " + groups + " does not divide " + channels + " channels");
        }
        this.weight = w.get("weight", Weights.Init.ONES, channels);
        this.bias = w.get("bias", Weights.Init.ZEROS, channels);
        this.groups = groups;
        this.eps = eps;
    }

    public Tensor forward(Tensor x) {
        return Functional.groupNorm(x, groups, weight, bias, eps);
    }
}
