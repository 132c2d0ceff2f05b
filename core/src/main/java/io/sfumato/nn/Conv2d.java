package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.PackedKernel;
import io.sfumato.tensor.Tensor;
import java.util.function.UnaryOperator;

/** Two-dimensional convolution with bias: weight (out, in, kernel, kernel), zero padding on every side. */
public final class Conv2d {
    private final UnaryOperator<Tensor> convolution;

    public Conv2d(Weights w, long in, long out, long kernel, long stride, long padding) {
        var init = Weights.Init.fanIn(in * kernel * kernel);
        if (w.packsKernels()) {
            PackedKernel packed = w.getPackedKernel("weight", stride, padding, out, in, kernel, kernel);
            Tensor bias = w.get("bias", init, out);
            convolution = x -> packed.convolve(x, bias);
        } else {
            Tensor weight = w.getChannelsLast("weight", init, out, in, kernel, kernel);
            Tensor bias = w.get("bias", init, out);
            convolution = x -> Functional.conv2d(x, weight, bias, stride, padding);
        }
    }

    /** Stride 1, and the padding that keeps the size: for odd kernels. */
    public Conv2d(Weights w, long in, long out, long kernel) {
        this(w, in, out, kernel, 1, kernel / 2);
    }

    /** x (B, in, H, W) to (B, out, H', W'). */
    public Tensor forward(Tensor x) {
        return convolution.apply(x);
    }
}
