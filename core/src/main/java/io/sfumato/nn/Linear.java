package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.FusedLinear;
import io.sfumato.tensor.Tensor;

/**
 * y = x W^T + b with W (out, in) and b (out), or none. Where the weights are in 8 bits, W is whole numbers and a scale for each row, and
 * where they multiply in 8 bits, so is x.
 */
public final class Linear {
    private final Product product;

    private Linear(Weights w, long in, long out, boolean hasBias) {
        var init = Weights.Init.fanIn(in);
        Tensor[] bias = hasBias ? new Tensor[] {w.get("bias", init, out)} : new Tensor[0];
        if (w.multipliesInEightBits()) {
            product = w.getPacked("weight", out, in, bias)::forward;
        } else if (w.hasEightBits()) {
            Tensor[] matrix = w.getInt8("weight", out, in);
            product = x -> plus(Functional.linear(x, matrix[0].to(x.dtype())).mul(matrix[1].to(x.dtype())), bias);
        } else {
            Tensor weight = w.get("weight", init, out, in);
            product = bias.length == 0 ? x -> Functional.linear(x, weight) : new Dense(weight, bias[0]);
        }
    }

    /** One of the ways to multiply; those that can do what follows in the same pass say how. */
    private interface Product {
        Tensor of(Tensor x);

        default Tensor plus(Tensor x, Tensor y) {
            return of(x).add_(y);
        }

        default Tensor geglu(Tensor x) {
            Tensor[] halves = of(x).chunk(2, -1);
            return halves[1].gelu().mul_(halves[0]);
        }
    }

    private record Dense(Tensor weight, Tensor bias) implements Product {
        @Override
        public Tensor of(Tensor x) {
            return Functional.linear(x, weight, bias);
        }

        @Override
        public Tensor plus(Tensor x, Tensor y) {
            return FusedLinear.isWorthIt(x, weight) ? FusedLinear.plus(x, weight, bias, y) : Product.super.plus(x, y);
        }

        @Override
        public Tensor geglu(Tensor x) {
            return FusedLinear.isWorthIt(x, weight) ? FusedLinear.geglu(x, weight, bias) : Product.super.geglu(x);
        }
    }

    private static Tensor plus(Tensor y, Tensor[] bias) {
        return bias.length == 0 ? y : y.add(bias[0]);
    }

    public Linear(Weights w, long in, long out) {
        this(w, in, out, true);
    }

    public static Linear withoutBias(Weights w, long in, long out) {
        return new Linear(w, in, out, false);
    }

    /** With or without bias, as a config says. */
    public static Linear of(Weights w, long in, long out, boolean hasBias) {
        return new Linear(w, in, out, hasBias);
    }

    /** x (..., in) to (..., out). */
    public Tensor forward(Tensor x) {
        return product.of(x);
    }

    /** {@code forward(x)} + y, where y has the shape of the outputs: a residual connection's sum, in the same pass where that can be. */
    public Tensor plus(Tensor x, Tensor y) {
        return product.plus(x, y);
    }

    /** GEGLU (Shazeer 2020): x (..., in) to (..., out / 2), the first half of the outputs times GELU of the second. */
    public Tensor geglu(Tensor x) {
        return product.geglu(x);
    }
}
