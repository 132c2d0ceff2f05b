package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** y = x W^T + b with W (out, in) and b (out), or none. */
public final class Linear {
    private final Tensor weight;
    private final Tensor[] bias;

    private Linear(Weights w, long in, long out, boolean hasBias) {
        var init = Weights.Init.fanIn(in);
        weight = w.get("weight", init, out, in);
        bias = hasBias ? new Tensor[] {w.get("bias", init, out)} : new Tensor[0];
    }

    public Linear(Weights w, long in, long out) {
        this(w, in, out, true);
    }

    public static Linear withoutBias(Weights w, long in, long out) {
        return new Linear(w, in, out, false);
    }

    /** x (..., in) to (..., out). */
    public Tensor forward(Tensor x) {
        return bias.length == 0 ? Functional.linear(x, weight) : Functional.linear(x, weight, bias[0]);
    }
}
