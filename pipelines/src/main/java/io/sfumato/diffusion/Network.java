package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;
import java.util.function.DoubleBinaryOperator;

/** What a sampler calls: noisy x (B, ...), scaled to the variance the network was trained on, and its timestep, to the raw answer. */
@FunctionalInterface
public interface Network {
    Tensor forward(Tensor x, double timestep);

    /**
     * The same network, guided by {@code weight} of its guidance and the timestep instead.
     *
     * @throws IllegalArgumentException if it leaves its guidance to nobody
     */
    default Network guidedBy(DoubleBinaryOperator weight) {
        throw new IllegalArgumentException("samplers that change the guidance at each step (CFG++) are for Stable Diffusion alone");
    }
}
