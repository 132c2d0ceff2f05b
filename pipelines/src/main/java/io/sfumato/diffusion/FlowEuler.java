package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * Euler's method on the straight paths of a rectified flow (Liu et al. 2022; Esser et al. 2024), which the network answers the
 * velocity of. {@code stochastic} goes to the predicted picture and under fresh noise instead.
 */
record FlowEuler(boolean stochastic) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double next = grid.sigma(i + 1);
                    Tensor velocity = denoiser.output(x, grid.timestep(i));
                    Tensor x0 = denoiser.x0(x, velocity, grid.level(i));
                    x = stochastic ? x0.mul(1 - next).add(noise.next(x).mul(next)) : x.add(velocity.mul(next - grid.sigma(i)));
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        return FlowLayout.of(config, steps).sampling(new FlowEuler(config.flag("stochastic_sampling", false)));
    }
}
