package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;
import java.util.function.DoubleBinaryOperator;

/** A guided network whose two answers are known: {@code unconditional(x, t)}, and {@code apart} more with a condition. */
record TwoHeads(Network unconditional, double apart, double guidance, DoubleBinaryOperator weight) implements Network {
    static TwoHeads of(Network unconditional, double apart, double guidance) {
        return new TwoHeads(unconditional, apart, guidance, (w, t) -> w);
    }

    @Override
    public Tensor forward(Tensor x, double timestep) {
        return unconditional.forward(x, timestep).add(apart * weight.applyAsDouble(guidance, timestep));
    }

    @Override
    public Network guidedBy(DoubleBinaryOperator weight) {
        return new TwoHeads(unconditional, apart, guidance, weight);
    }
}
