package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * Euler's method on the probability-flow ODE dx/dsigma = (x - x0) / sigma (Karras et al. 2022, algorithm 2 without its second-order
 * correction). As the reference does, the network sees x before the {@code churn} noise is put in; {@code hatted} reads its answer at
 * the sigma with that noise, as the scheduler for EDM does.
 */
record Euler(Churn churn, boolean hatted) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    double gamma = churn.gamma(sigma, grid.calls());
                    Tensor x0;
                    Tensor next;
                    if (gamma == 0) {
                        x0 = denoiser.x0(x, sigma, grid.timestep(i));
                        next = x.add(x.sub(x0).mul((grid.sigma(i + 1) - sigma) / sigma));
                    } else {
                        double sigmaHat = sigma * (gamma + 1);
                        Tensor out = denoiser.output(denoiser.scaled(x, sigma), grid.timestep(i));
                        Tensor hat = x.add(noise.next(x).mul(churn.noise() * Math.sqrt(sigmaHat * sigmaHat - sigma * sigma)));
                        x0 = denoiser.prediction() == Prediction.EPSILON ? hat.sub(out.mul(sigmaHat))
                                : denoiser.x0(hat, out, hatted ? sigmaHat : sigma);
                        next = hat.add(hat.sub(x0).mul((grid.sigma(i + 1) - sigmaHat) / sigmaHat));
                    }
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        SigmaLayout layout = SigmaLayout.of(config, steps);
        boolean continuous = config.choice("timestep_type", "discrete", "continuous").equals("continuous");
        if (continuous && config.prediction() == Prediction.V_PREDICTION) {
            layout = layout.at(Sigmas.quarterLogs(layout.sigmas()));
        }
        return layout.sampling(new Euler(options.churn(), false), Clipping.none());
    }
}
