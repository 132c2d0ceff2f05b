package io.sfumato.tensor;

import java.util.Arrays;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.OperatorHandle;

/**
 * The kernel of a convolution that runs on a CPU and is not trained. It is laid out for oneDNN when an input comes that has another shape
 * than the last, where a plain kernel is at each call; the results are the same, for most sizes to the bit. It is not once for all, since
 * which layout is right depends on the input's shape and the number of threads, and a wrong one can make a call fifty times slower.
 */
public final class PackedKernel implements AutoCloseable {
    private static final OperatorHandle PACK = Operators.find("mkldnn::_reorder_convolution_weight");
    private static final OperatorHandle CONVOLUTION = Operators.find("mkldnn::_convolution_pointwise");
    private static final OperatorHandle WITH_ANOTHER = Operators.find("mkldnn::_convolution_pointwise", "binary");
    private static final IValue ONE = new IValue(1L).retainReference();
    private static final IValue NO_DILATION = both(1).retainReference();
    private static final IValue NO_ACTIVATION = new IValue("none").retainReference();
    private static final IValue NO_SCALARS = Operators.list(CONVOLUTION, 8).retainReference();
    private static final IValue NO_ALGORITHM = new IValue("").retainReference();
    private static final IValue ADD = new IValue("add").retainReference();
    private static final IValue NOTHING = new IValue().retainReference();

    private final IValue stride;
    private final IValue padding;
    private Tensor kernel;
    private long[] shape = {};
    private int threads;

    /** @param kernel (out, in, k, k), channels last, of a type that {@linkplain Engine#hasOneDnn oneDNN has}; it may be closed after */
    public PackedKernel(Tensor kernel, long stride, long padding) {
        try (var scope = new Scope()) {
            this.stride = both(stride).retainReference();
            this.padding = both(padding).retainReference();
            this.kernel = alias(kernel).retain();
        }
    }

    /** x (B, in, H, W) to (B, out, H', W'): see {@link Functional#conv2d}. */
    public Tensor convolve(Tensor x, Tensor bias) {
        try (var scope = new Scope()) {
            return scope.keep(Operators.tensor(Operators.call(CONVOLUTION, new IValue(x.channelsLast().raw()),
                    new IValue(fitting(x.shape()).raw()), new IValue(bias.raw()), padding, stride, NO_DILATION, ONE, NO_ACTIVATION,
                    NO_SCALARS, NO_ALGORITHM)));
        }
    }

    /** {@link #convolve} + y, with y (B, out, H', W'), in one pass. */
    public Tensor convolvePlus(Tensor x, Tensor bias, Tensor y) {
        try (var scope = new Scope()) {
            return scope.keep(Operators.tensor(Operators.call(WITH_ANOTHER, new IValue(x.channelsLast().raw()),
                    new IValue(y.channelsLast().raw()), new IValue(fitting(x.shape()).raw()), new IValue(bias.raw()), padding, stride,
                    NO_DILATION, ONE, ADD, NOTHING, NOTHING, NO_SCALARS, NOTHING)));
        }
    }

    /** The kernel for inputs of that shape, which stays valid where another caller has it laid out anew. */
    private synchronized Tensor fitting(long[] input) {
        if (!Arrays.equals(shape, input) || threads != Engine.threads()) {
            Tensor plain = kernel.raw().is_mkldnn() ? new Tensor(kernel.raw().to_dense()).channelsLast() : kernel;
            Tensor packed = Operators.tensor(Operators.call(PACK, new IValue(plain.raw()), padding, stride, NO_DILATION, ONE,
                    Operators.list(PACK, 1, input)));
            kernel.close();
            kernel = packed.retain();
            shape = input;
            threads = Engine.threads();
        }
        return alias(kernel);
    }

    private static Tensor alias(Tensor x) {
        return new Tensor(new org.bytedeco.pytorch.Tensor(x.raw()));
    }

    private static IValue both(long n) {
        return Operators.list(CONVOLUTION, 3, n, n);
    }

    @Override
    public synchronized void close() {
        kernel.close();
        stride.releaseReference();
        padding.releaseReference();
    }
}
