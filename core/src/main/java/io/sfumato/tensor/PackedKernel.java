package io.sfumato.tensor;

import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.OperatorHandle;

/**
 * Kernels of convolutions laid out as oneDNN reads them, once, where a plain one is laid out anew at each call. The results are the same
 * to the bit. Such a tensor cannot be read or trained: it is there for {@link Functional#conv2d}.
 */
public final class PackedKernel {
    private static final OperatorHandle PACK = Operators.find("mkldnn::_reorder_convolution_weight");
    private static final OperatorHandle CONVOLUTION = Operators.find("mkldnn::_convolution_pointwise");
    private static final IValue ONE = new IValue(1L).retainReference();
    private static final IValue NO_ACTIVATION = new IValue("none").retainReference();
    private static final IValue NO_SCALARS = Operators.list(CONVOLUTION, 8).retainReference();
    private static final IValue NO_ALGORITHM = new IValue("").retainReference();
    /** Which layout is the best depends on the input, too: that for 16x16 is within 1% of it on larger and on smaller maps. */
    private static final long SIDE = 16;

    private PackedKernel() {
    }

    /** Packs {@code kernel} (out, in, k, k), which is on the CPU and of a type that {@linkplain Engine#hasOneDnn oneDNN has}. */
    public static Tensor of(Tensor kernel, long stride, long padding) {
        Tensor last = kernel.channelsLast();    // from where oneDNN packs twice as fast in bfloat16, and in float32 no slower
        return Operators.tensor(Operators.call(PACK, new IValue(last.raw()), list(padding, padding), list(stride, stride), list(1, 1), ONE,
                list(1, kernel.size(1), SIDE, SIDE)));
    }

    /** As {@link Functional#conv2d} with a packed kernel. The input is brought to channels last, which the output then is, too. */
    static Tensor convolve(Tensor x, Tensor kernel, Tensor bias, long stride, long padding) {
        return Operators.tensor(Operators.call(CONVOLUTION, new IValue(x.channelsLast().raw()), new IValue(kernel.raw()),
                new IValue(bias.raw()), list(padding, padding), list(stride, stride), list(1, 1), ONE, NO_ACTIVATION, NO_SCALARS,
                NO_ALGORITHM));
    }

    private static IValue list(long... numbers) {
        return Operators.list(CONVOLUTION, 3, numbers);
    }
}
