package io.sfumato.autoregressive;

import io.sfumato.Picking;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;

/** Picks tokens from logits, as {@code torch.multinomial} does after the usual cuts. */
public final class Picker {
    /** Draws one index from each row of weights (n, V), which need not sum to one. */
    @FunctionalInterface
    public interface Draw {
        Tensor multinomial(Tensor weights);
    }

    private Picker() {
    }

    /** Logits (n, V) to tokens (n). */
    public static Tensor pick(Tensor logits, Picking how, Nucleus nucleus, Draw draw) {
        logits = logits.to(DType.F32);
        return how.temperature() == 0 ? logits.argmax(1) : draw.multinomial(weights(logits, how, nucleus));
    }

    /** Probabilities (n, V) after temperature, top-k and top-p; they sum to one unless top-p took some. */
    static Tensor weights(Tensor logits, Picking how, Nucleus nucleus) {
        long n = logits.size(0), v = logits.size(1);
        Tensor x = logits.div(how.temperature());
        Tensor sorted = x.sort(1, true)[0];                                                             // (n, V), falling
        if (how.topK() > 0 && how.topK() < v) {
            Tensor least = sorted.narrow(1, how.topK() - 1L, 1);
            Tensor nothing = Tensor.full(Double.NEGATIVE_INFINITY, 1, 1).to(x);
            x = x.sub(least).lt(0).where(nothing, x);
            sorted = sorted.sub(least).lt(0).where(nothing, sorted);
        }
        Tensor probabilities = x.softmax(1);
        if (how.topP() == 1) {
            return probabilities;
        }
        Tensor falling = sorted.softmax(1);
        Tensor before = Tensor.cat(1, Tensor.zeros(n, 1).to(x), falling.cumsum(1).narrow(1, 0, v - 1));
        Tensor gone = nucleus.gone(before, how.topP());
        Tensor ranks = x.sort(1, true)[1].sort(1, false)[1];                                            // place of each token
        return gone.gather(1, ranks).where(Tensor.zeros(1, 1).to(x), probabilities);
    }
}
