package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** Two-dimensional convolution with bias: weight (out, in, kernel, kernel), zero padding on every side. */
public final class Conv2d {
    private final Tensor weight;
    private final Tensor bias;
    private final long stride;
    private final long padding;

    public Conv2d(Weights w, long in, long out, long kernel, long stride, long padding) {
        var init = Weights.Init.fanIn(in * kernel * kernel);
        this.weight = w.getKernel("weight", init, out, in, kernel, stride, padding);
        this.bias = w.get("bias", init, out);
        this.stride = stride;
        this.padding = padding;
    }

    /** Stride 1, and the padding that keeps the size: for odd kernels. */
    public Conv2d(Weights w, long in, long out, long kernel) {
        this(w, in, out, kernel, 1, kernel / 2);
    }

    /** x (B, in, H, W) to (B, out, H', W'). */
    public Tensor forward(Tensor x) {
        return Functional.conv2d(x, weight, bias, stride, padding);
    }
}
