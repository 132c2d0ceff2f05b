package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * DPM-Solver-2 (Lu et al. 2022, algorithm 1, with k-diffusion's middle): the slope at the geometric middle of a step takes x over the
 * whole step; two calls, and one where the end is 0. {@code ancestral} goes down too far and adds fresh noise back.
 */
record Kdpm2(boolean ancestral) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            Tensor from = x;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    boolean begins = (i - grid.start()) % 2 == 0;
                    int first = begins ? i : i - 1;
                    double sigma = grid.sigma(first);
                    double next = grid.sigma(first + 1);
                    double up = up(sigma, next);
                    double down = Math.sqrt(next * next - up * up);
                    double middle = middle(sigma, next);
                    double here = begins ? sigma : middle;
                    Tensor x0 = denoiser.x0(x, here, grid.timestep(i));
                    from = begins ? x : from;
                    Tensor there = from.add(x.sub(x0).mul(((begins ? middle : down) - sigma) / here));
                    Tensor end = up > 0 && !begins ? there.add(noise.next(x).mul(up)) : there;
                    x = scope.keep(onStep.onStep(grid.step(i, end, x0)));
                }
            }
            return all.keep(x);
        }
    }

    @Override
    public int callsPerStep() {
        return 2;
    }

    private double up(double sigma, double next) {
        return ancestral ? EulerAncestral.sigmaUp(sigma, next) : 0;
    }

    /** Where the second call is made. */
    private double middle(double sigma, double next) {
        double up = up(sigma, next);
        return Math.sqrt(sigma * Math.sqrt(next * next - up * up));
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        return plan(config, steps, new Kdpm2(false));
    }

    static Sampling planAncestral(SchedulerConfig config, Steps steps, StepOptions options) {
        return plan(config, steps, new Kdpm2(true));
    }

    private static Sampling plan(SchedulerConfig config, Steps steps, Kdpm2 sampler) {
        config.require("prediction_type", "epsilon", "v_prediction");
        SigmaLayout layout = SigmaLayout.of(config, steps);
        boolean round = config.sigmaSchedule(steps) == SigmaSchedule.KARRAS;
        return sampler.interleaved(round ? layout.at(Spacing.rounded(layout.timesteps())) : layout).sampling(sampler, Clipping.none());
    }

    /** With the call in the middle of each step but the last. */
    SigmaLayout interleaved(SigmaLayout layout) {
        layout.requireEndAtZero();
        double[] timesteps = layout.timesteps();
        double[] sigmas = layout.sigmas();
        int n = timesteps.length;
        double[] middles = new double[n - 1];
        Arrays.setAll(middles, i -> middle(sigmas[i], sigmas[i + 1]));
        double[] between = new SigmaTable(layout.config().alphasCumprod()).timesteps(Sigmas.floats(middles));
        double[] calls = new double[2 * n - 1];
        Arrays.setAll(calls, i -> i % 2 == 0 ? timesteps[i / 2] : between[i / 2]);
        // As in the reference, the last sigma three times.
        double[] doubled = DoubleStream.concat(Arrays.stream(SigmaLayout.doubled(sigmas)), DoubleStream.of(sigmas[n])).toArray();
        return new SigmaLayout(layout.config(), Sigmas.floats(calls), doubled);
    }
}
