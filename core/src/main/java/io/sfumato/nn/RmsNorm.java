package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;

/** Divides the last dimension by its root mean square (Zhang and Sennrich 2019), then scales it; computed in float32. */
public final class RmsNorm {
    private final Tensor weight;
    private final double eps;

    public RmsNorm(Weights w, long width, double eps) {
        this.weight = w.get("weight", Weights.Init.ONES, width);
        this.eps = eps;
    }

    public Tensor forward(Tensor x) {
        Tensor exact = x.to(DType.F32);
        return exact.mul(exact.square().mean(true, -1).add(eps).pow(-0.5)).to(x.dtype()).mul(weight);
    }
}
