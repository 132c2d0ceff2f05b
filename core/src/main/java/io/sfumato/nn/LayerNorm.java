package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** Normalises the last dimension (Ba et al. 2016), then scales and shifts it. */
public final class LayerNorm {
    private final Tensor weight;
    private final Tensor bias;
    private final double eps;

    public LayerNorm(Weights w, long width, double eps) {
        this.weight = w.get("weight", Weights.Init.ONES, width);
        this.bias = w.get("bias", Weights.Init.ZEROS, width);
        this.eps = eps;
    }

    public Tensor forward(Tensor x) {
        return Functional.layerNorm(x, weight, bias, eps);
    }
}
