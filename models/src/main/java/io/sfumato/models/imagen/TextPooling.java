package io.sfumato.models.imagen;

import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Tensor;

/** Text states pooled by attention whose query is their mean, normalised before and after (Saharia et al. 2022, 2.1 and appendix B). */
final class TextPooling {
    private static final double EPS = 1e-5;

    private final LayerNorm norm;
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear out;
    private final LayerNorm normOut;
    private final int heads;

    TextPooling(Weights w, int textWidth, int heads, int width) {
        norm = new LayerNorm(w.sub("norm"), textWidth, EPS);
        query = new Linear(w.sub("query"), textWidth, width);
        key = new Linear(w.sub("key"), textWidth, width);
        value = new Linear(w.sub("value"), textWidth, width);
        out = new Linear(w.sub("out"), width, width);
        normOut = new LayerNorm(w.sub("norm_out"), width, EPS);
        this.heads = heads;
    }

    /** text (B, L, E) to (B, width). */
    Tensor forward(Tensor text) {
        Tensor states = norm.forward(text);
        Tensor pooled = Attention.multiHead(query.forward(states.mean(true, 1)), key.forward(states), value.forward(states), heads);
        return normOut.forward(out.forward(pooled.squeeze(1)));
    }
}
