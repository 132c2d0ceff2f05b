package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** Euler steps that go down too far and add fresh noise back (k-diffusion's sample_euler_ancestral with eta 1). */
record EulerAncestral() implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    double next = grid.sigma(i + 1);
                    double sigmaUp = sigmaUp(sigma, next);
                    double sigmaDown = Math.sqrt(next * next - sigmaUp * sigmaUp);
                    Tensor x0 = denoiser.x0(x, sigma, grid.timestep(i));
                    Tensor mean = x.add(x.sub(x0).mul((sigmaDown - sigma) / sigma));
                    x = mean.add(noise.next(x).mul(sigmaUp));
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    /** The noise added back after a step from {@code sigma} to {@code next}. */
    static double sigmaUp(double sigma, double next) {
        return next * Math.sqrt((sigma * sigma - next * next) / (sigma * sigma));
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("prediction_type", "epsilon", "v_prediction");
        return SigmaLayout.of(config, steps).sampling(new EulerAncestral(), Clipping.none());
    }
}
