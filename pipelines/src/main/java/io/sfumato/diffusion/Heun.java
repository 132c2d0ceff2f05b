package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** Heun's method, second order (Karras et al. 2022, algorithm 1): two calls a step, the second at its end; one where the end is 0. */
record Heun(Path path) implements Sampler {
    /** What the denoiser says of {@code x} at call {@code i}. */
    @FunctionalInterface
    interface Path {
        Seen at(Denoiser denoiser, Tensor x, Grid grid, int i);
    }

    /** @param slope how x changes with sigma */
    record Seen(Tensor x0, Tensor slope) { }

    /** x = x0 + sigma epsilon. */
    static final Path NOISE = (denoiser, x, grid, i) -> {
        Tensor x0 = denoiser.x0(x, grid.sigma(i), grid.timestep(i));
        return new Seen(x0, x.sub(x0).div(grid.sigma(i)));
    };
    /** A rectified flow's, whose slope is the network's answer. */
    static final Path FLOW = (denoiser, x, grid, i) -> {
        Tensor velocity = denoiser.output(x, grid.timestep(i));
        return new Seen(denoiser.x0(x, velocity, grid.level(i)), velocity.clone());
    };

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            Tensor from = x;
            Tensor slope = x;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    boolean begins = (i - grid.start()) % 2 == 0;
                    double sigma = grid.sigma(i);
                    Seen here = path.at(denoiser, x, grid, i);
                    if (begins) {
                        from = x;
                        slope = scope.keep(here.slope);
                        x = from.add(slope.mul(grid.sigma(i + 1) - sigma));
                    } else {
                        x = from.add(slope.add(here.slope).mul((sigma - grid.sigma(i - 1)) / 2));
                    }
                    x = scope.keep(onStep.onStep(grid.step(i, x, here.x0)));
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
        return SigmaLayout.of(config, steps).twice().sampling(new Heun(NOISE), config.range(false));
    }

    static Sampling flow(SchedulerConfig config, Steps steps, StepOptions options) {
        return FlowLayout.heun(config, steps).twice().sampling(new Heun(FLOW));
    }
}
