package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * y = x W^T + b with W (out, in) and b (out), or none. Where the weights are in 8 bits, W is whole numbers and a scale for each row, and
 * where they multiply in 8 bits, so is x.
 */
public final class Linear {
    private final UnaryOperator<Tensor> product;

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
            product = x -> bias.length == 0 ? Functional.linear(x, weight) : Functional.linear(x, weight, bias[0]);
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
        return product.apply(x);
    }
}
