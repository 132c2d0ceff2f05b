package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * DPM-Solver++ on the SDE, second order in one step (k-diffusion's sample_dpmpp_sde): two ancestral steps from the same x, to the
 * geometric middle and then, with the picture predicted there, to the end. The noise is a Brownian motion over sigma.
 */
record DpmSde(BrownianSeed seed) implements Sampler {

    /** Where the Brownian motion comes from. */
    @FunctionalInterface
    interface BrownianSeed {
        Brownian of(Noise noise, Tensor like, double min, double max);
    }

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            double[] sigmas = grid.sigmas();
            Brownian brownian = seed.of(noise, x, Sigmas.leastAboveZero(sigmas), sigmas[0]);
            Tensor from = x;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    boolean begins = (i - grid.start()) % 2 == 0;
                    int first = begins ? i : i - 1;
                    double sigma = grid.sigma(first);
                    double end = grid.sigma(first + 1);
                    double middle = end == 0 ? 0 : Sigmas.geometricMean(sigma, end);
                    double here = begins ? sigma : middle;
                    Tensor x0 = denoiser.x0(x, here, grid.timestep(i));
                    from = begins ? x : from;
                    double to = begins ? middle : Sigmas.throughLogarithm(end);
                    Tensor next = end == 0 ? x0 : ancestral(from, x0, Sigmas.throughLogarithm(sigma), to, brownian);
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    private static Tensor ancestral(Tensor from, Tensor x0, double sigma, double to, Brownian brownian) {
        double up = Math.min(to, EulerAncestral.sigmaUp(sigma, to));
        double ratio = Math.sqrt(to * to - up * up) / sigma;
        return from.mul(ratio).add(x0.mul(1 - ratio)).add(brownian.next(sigma, to).mul(up));
    }

    @Override
    public int callsPerStep() {
        return 2;
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("prediction_type", "epsilon", "v_prediction");
        double seed = config.number("noise_sampler_seed", Double.NaN);
        DpmSde sampler = new DpmSde(Double.isNaN(seed) ? Noise::brownian
                : (noise, like, min, max) -> Brownian.tree((long) seed, like, min, max));
        return withMiddles(SigmaLayout.of(config, steps)).sampling(sampler, Clipping.none());
    }

    /** With the call in the middle of each step but the last. */
    static SigmaLayout withMiddles(SigmaLayout layout) {
        SigmaLayout twice = layout.twice();
        double[] calls = twice.timesteps();
        double[] middles = new double[layout.timesteps().length - 1];
        for (int i = 0; i < middles.length; i++) {
            middles[i] = Math.sqrt(layout.sigmas()[i] * layout.sigmas()[i + 1]);
        }
        double[] between = new SigmaTable(layout.config().alphasCumprod()).timesteps(middles);
        for (int i = 0; i < between.length; i++) {
            calls[2 * i + 1] = (float) between[i];
        }
        return twice.at(calls);
    }
}
