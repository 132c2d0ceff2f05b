package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** Heun's method on the paths of a rectified flow: two calls a step, the second at its end; one where the end is 0. */
record FlowHeun() implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            Tensor from = x;
            Tensor velocity = x;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    boolean begins = (i - grid.start()) % 2 == 0;
                    double sigma = grid.sigma(i);
                    Tensor here = denoiser.output(x, grid.timestep(i));
                    Tensor x0 = denoiser.x0(x, here, grid.level(i));
                    if (begins) {
                        from = x;
                        velocity = scope.keep(here.clone());
                        x = from.add(velocity.mul(grid.sigma(i + 1) - sigma));
                    } else {
                        x = from.add(velocity.add(here).mul((sigma - grid.sigma(i - 1)) / 2));
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
        return FlowLayout.heun(config, steps).twice().sampling(new FlowHeun());
    }
}
