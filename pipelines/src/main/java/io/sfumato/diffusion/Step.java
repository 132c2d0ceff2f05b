package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/**
 * What a sampler tells after each network call: its {@code index} of {@code total} calls, the timestep it was made for, x after it
 * and the picture x0 that its answer predicts. The tensors live until the listener returns, unless it keeps them.
 */
public record Step(int index, int total, double timestep, Tensor x, Tensor x0) {

    /** Hears each step and says from which x to go on: {@code step.x()}, or one put right. Throws to cancel. */
    @FunctionalInterface
    public interface Listener {
        Tensor onStep(Step step);

        static Listener none() {
            return Step::x;
        }
    }
}
