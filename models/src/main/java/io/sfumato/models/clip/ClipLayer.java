package io.sfumato.models.clip;

import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** A pre-norm block of either tower of CLIP. */
final class ClipLayer {
    /** What of its keys and values a query sees, and in how many heads: all (B, L, D). */
    @FunctionalInterface
    interface Attend {
        Tensor apply(Tensor query, Tensor key, Tensor value);
    }

    private final LayerNorm norm1;
    private final LayerNorm norm2;
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear out;
    private final Linear fc1;
    private final Linear fc2;
    private final Activation activation;
    private final Attend attend;

    ClipLayer(Weights w, int width, int hidden, Activation activation, double eps, Attend attend) {
        this.activation = activation;
        this.attend = attend;
        norm1 = new LayerNorm(w.sub("layer_norm1"), width, eps);
        query = new Linear(w.sub("self_attn").sub("q_proj"), width, width);
        key = new Linear(w.sub("self_attn").sub("k_proj"), width, width);
        value = new Linear(w.sub("self_attn").sub("v_proj"), width, width);
        out = new Linear(w.sub("self_attn").sub("out_proj"), width, width);
        norm2 = new LayerNorm(w.sub("layer_norm2"), width, eps);
        fc1 = new Linear(w.sub("mlp").sub("fc1"), width, hidden);
        fc2 = new Linear(w.sub("mlp").sub("fc2"), hidden, width);
    }

    Tensor forward(Tensor x) {                                                              // (B, L, D)
        try (var scope = new Scope()) {
            Tensor y = norm1.forward(x);
            x = out.plus(attend.apply(query.forward(y), key.forward(y), value.forward(y)), x);
            x = fc2.plus(activation.apply(fc1.forward(norm2.forward(x))), x);
            return scope.keep(x);
        }
    }
}
