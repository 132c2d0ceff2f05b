package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.PackedKernel;
import io.sfumato.tensor.Tensor;

/** Two-dimensional convolution with bias: weight (out, in, kernel, kernel), zero padding on every side. */
public final class Conv2d {
    private final Convolution convolution;

    public Conv2d(Weights w, long in, long out, long kernel, long stride, long padding) {
        var init = Weights.Init.fanIn(in * kernel * kernel);
        if (w.packsKernels()) {
            PackedKernel packed = w.getPackedKernel("weight", stride, padding, out, in, kernel, kernel);
            Tensor bias = w.get("bias", init, out);
            convolution = new Packed(packed, bias);
        } else {
            Tensor weight = w.getChannelsLast("weight", init, out, in, kernel, kernel);
            Tensor bias = w.get("bias", init, out);
            convolution = x -> Functional.conv2d(x, weight, bias, stride, padding);
        }
    }

    private interface Convolution {
        Tensor of(Tensor x);

        default Tensor plus(Tensor x, Tensor y) {
            return of(x).add_(y);
        }
    }

    private record Packed(PackedKernel kernel, Tensor bias) implements Convolution {
        @Override
        public Tensor of(Tensor x) {
            return kernel.convolve(x, bias);
        }

        @Override
        public Tensor plus(Tensor x, Tensor y) {
            return kernel.convolvePlus(x, bias, y);
        }
    }

    /** Stride 1, and the padding that keeps the size: for odd kernels. */
    public Conv2d(Weights w, long in, long out, long kernel) {
        this(w, in, out, kernel, 1, kernel / 2);
    }

    /** x (B, in, H, W) to (B, out, H', W'). */
    public Tensor forward(Tensor x) {
        return convolution.of(x);
    }

    /** {@code forward(x)} + y, y (B, out, H', W'): a residual connection's sum, in the same pass where the kernel is packed. */
    public Tensor plus(Tensor x, Tensor y) {
        return convolution.plus(x, y);
    }
}
