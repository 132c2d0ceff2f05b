package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/** y = x W^T + b with W (out, in) and b (out), or none. Where the weights are in 8 bits, W is whole numbers and a scale for each row. */
public final class Linear {
    private final Tensor weight;
    private final Tensor[] scale;
    private final Tensor[] bias;

    private Linear(Weights w, long in, long out, boolean hasBias) {
        var init = Weights.Init.fanIn(in);
        Tensor[] matrix = w.hasEightBits() ? w.getInt8("weight", out, in) : new Tensor[] {w.get("weight", init, out, in)};
        weight = matrix[0];
        scale = Arrays.copyOfRange(matrix, 1, matrix.length);
        bias = hasBias ? new Tensor[] {w.get("bias", init, out)} : new Tensor[0];
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
        if (scale.length > 0) {
            Tensor y = Functional.linear(x, weight.to(x.dtype())).mul(scale[0].to(x.dtype()));
            return bias.length == 0 ? y : y.add(bias[0]);
        }
        return bias.length == 0 ? Functional.linear(x, weight) : Functional.linear(x, weight, bias[0]);
    }
}
