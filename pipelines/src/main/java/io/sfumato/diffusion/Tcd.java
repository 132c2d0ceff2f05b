package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * Strategic stochastic sampling of trajectory consistency models (Zheng et al. 2024, algorithm 4): each call goes to the timestep
 * (1 - gamma) t of the next t, and back to that under fresh noise. gamma is {@code eta}; 0 adds none.
 */
record Tcd(double eta) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    boolean ends = i == grid.calls() - 1;
                    double next = ends ? 0 : grid.timestep(i + 1);
                    double alphaBarS = grid.alphaCumprod(Math.floor((float) (1 - eta) * (float) next));
                    NoiseLevel at = grid.level(i);
                    Tensor out = denoiser.output(x, grid.timestep(i));
                    Tensor x0 = denoiser.x0(x, out, at);
                    Tensor noised = NoiseLevel.ofAlphaCumprod(alphaBarS).addNoise(x0, denoiser.epsilon(x, out, at));
                    if (eta > 0 && !ends) {
                        noised = NoiseLevel.ofAlphaCumprod(grid.alphaCumprod(next) / alphaBarS).addNoise(noised, noise.next(x));
                    }
                    x = scope.keep(onStep.onStep(grid.step(i, noised, x0)));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        return new Sampling(new Tcd(options.eta()), Lcm.grid(config, steps), config.prediction(), Clipping.none(), 1);
    }
}
