package io.sfumato.tensor;

import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.OperatorHandle;

/**
 * Linear layers that do what follows them as well, before their outputs leave the caches: oneDNN's post-ops. For running on a CPU, not for
 * training. A layer's outputs are rounded once, after what follows, where two operators round them twice.
 */
public final class FusedLinear {
    private static final long FEW = 16;

    /** Looked up when first used: engines without oneDNN do not have them. */
    private static final class OneDnn {
        private static final OperatorHandle LINEAR = Operators.find("mkldnn::_linear_pointwise");
        private static final OperatorHandle WITH_ANOTHER = Operators.find("mkldnn::_linear_pointwise", "binary");
        private static final IValue GELU = new IValue("gelu").retainReference();
        private static final IValue EXACT = new IValue("none").retainReference();
        private static final IValue NO_SCALARS = Operators.list(LINEAR, 4).retainReference();
        private static final IValue ADD = new IValue("add").retainReference();
        private static final IValue MULTIPLY = new IValue("mul").retainReference();

        private OneDnn() {
        }
    }

    private FusedLinear() {
    }

    /** Whether x (..., in) and {@code weight} (out, in) are of a type and of sizes for which oneDNN is fast here. */
    public static boolean isWorthIt(Tensor x, Tensor weight) {
        long in = weight.size(1);
        return !GradMode.is_enabled() && x.raw().is_cpu() && x.dtype() == weight.dtype() && Engine.hasOneDnn(x.dtype())
                && in >= FEW && weight.size(0) >= FEW && x.size(-1) == in && x.numel() >= FEW * in;
    }

    /** x W^T + b + y, y (..., out). */
    public static Tensor plus(Tensor x, Tensor weight, Tensor bias, Tensor y) {
        return withAnother(x, weight, bias, y, OneDnn.ADD);
    }

    /** The first half of the outputs times GELU of the second, with {@code weight} (2 n, in) and {@code bias} (2 n): (..., n). */
    public static Tensor geglu(Tensor x, Tensor weight, Tensor bias) {
        long n = weight.size(0) / 2;
        try (var scope = new Scope()) {
            Tensor gate = Operators.tensor(Operators.call(OneDnn.LINEAR, new IValue(x.raw()), new IValue(weight.narrow(0, n, n).raw()),
                    new IValue(bias.narrow(0, n, n).raw()), OneDnn.GELU, OneDnn.NO_SCALARS, OneDnn.EXACT));
            return scope.keep(withAnother(x, weight.narrow(0, 0, n), bias.narrow(0, 0, n), gate, OneDnn.MULTIPLY));
        }
    }

    private static Tensor withAnother(Tensor x, Tensor weight, Tensor bias, Tensor y, IValue operation) {
        return Operators.tensor(Operators.call(OneDnn.WITH_ANOTHER, new IValue(x.raw()), new IValue(y.raw()), new IValue(weight.raw()),
                new IValue(bias.raw()), operation));
    }
}
