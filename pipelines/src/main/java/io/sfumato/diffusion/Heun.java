package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** Heun's method, second order (Karras et al. 2022, algorithm 1): two calls a step, the second at its end; one where the end is 0. */
record Heun() implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            Tensor from = x;
            Tensor slope = x;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    boolean begins = (i - grid.start()) % 2 == 0;
                    double sigma = grid.sigma(i);
                    Tensor x0 = denoiser.x0(x, sigma, grid.timestep(i));
                    Tensor here = x.sub(x0).div(sigma);
                    if (begins) {
                        from = x;
                        slope = scope.keep(here);
                        x = from.add(slope.mul(grid.sigma(i + 1) - sigma));
                    } else {
                        x = from.add(slope.add(here).mul((sigma - grid.sigma(i - 1)) / 2));
                    }
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    @Override
    public int callsPerStep() {
        return 2;
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        return SigmaLayout.of(config, steps).twice().sampling(new Heun(), config.range(false));
    }
}
