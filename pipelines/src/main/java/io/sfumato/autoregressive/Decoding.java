package io.sfumato.autoregressive;

import io.sfumato.Picking;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.function.Consumer;

/** Writes the tokens of pictures one after another. */
public final class Decoding {
    /**
     * A token was picked.
     *
     * @param place  of the token, from 0
     * @param logits it was picked from, (n, V)
     * @param tokens so far (n, length); those to come are 0
     */
    public record Step(int place, Tensor logits, Tensor tokens) {
    }

    private Decoding() {
    }

    /**
     * @param given tokens (n, g) to begin with, which are not picked; g may be 0
     * @return tokens (n, length)
     */
    public static Tensor decode(TokenReader reader, Tensor given, int length, Picking how, Nucleus nucleus, Picker.Draw draw,
            Consumer<Step> onStep) {
        Tensor tokens = Tensor.zeros(DType.I64, given.size(0), length);
        for (int i = 0; i < length; i++) {
            try (var scope = new Scope()) {
                Tensor logits = i == 0 ? reader.first() : reader.next(tokens.select(1, i - 1).contiguous(), i);
                Tensor picked = i < given.size(1) ? given.select(1, i) : Picker.pick(logits, how, nucleus, draw);
                tokens.select(1, i).copy_(picked);
                onStep.accept(new Step(i, logits, tokens));
            }
        }
        return tokens;
    }

    /** Classifier-free guidance on logits: away from those of the empty prompt. */
    public static Tensor guide(Tensor empty, Tensor given, double scale) {
        return empty.add(given.sub(empty).mul(scale));
    }
}
