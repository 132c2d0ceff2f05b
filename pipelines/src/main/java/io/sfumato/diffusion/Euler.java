package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;

/** Euler's method on the probability-flow ODE dx/dsigma = (x - x0) / sigma (Karras et al. 2022, algorithm 1 without churn). */
record Euler() implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    NoiseLevel at = NoiseLevel.ofSigma(sigma);
                    Tensor in = x.mul(at.alpha());
                    Tensor x0 = denoiser.x0(in, denoiser.output(in, grid.timestep(i)), at);
                    x = scope.keep(x.add(x.sub(x0).mul((grid.sigma(i + 1) - sigma) / sigma)));
                    onStep.onStep(grid.step(i, x, x0));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, int steps, double eta) {
        double[] alphas = Betas.alphasCumprod(config, true);
        float[] table = Sigmas.ofAlphasCumprod(alphas);
        double[] timesteps = config.floatTimesteps(Spacing.LINSPACE, steps);
        boolean logLinear = config.choice("interpolation_type", "linear", "log_linear").equals("log_linear");
        double[] sigmas = logLinear ? Sigmas.logLinear(table, steps) : Sigmas.interpolate(timesteps, table);
        SigmaSchedule schedule = config.sigmaSchedule();
        if (schedule != SigmaSchedule.NORMAL) {
            sigmas = schedule.sigmas(config.number("sigma_max", sigmas[0]), config.number("sigma_min", sigmas[sigmas.length - 1]), steps);
            timesteps = Sigmas.floats(Sigmas.timesteps(sigmas, table));
        }
        sigmas = Sigmas.closed(sigmas, config.endsAtZero() ? 0 : table[0]);
        boolean continuous = config.choice("timestep_type", "discrete", "continuous").equals("continuous");
        if (continuous && config.prediction() == Prediction.V_PREDICTION) {
            timesteps = Sigmas.quarterLogs(sigmas);
        }
        return karras(config, new Euler(), timesteps, sigmas, alphas);
    }

    /** The plan of a sampler whose x is x0 + sigma epsilon: not rescaled to the variance of the training data. */
    static Sampling karras(SchedulerConfig config, Sampler sampler, double[] timesteps, double[] sigmas, double[] alphas) {
        double max = 0;
        for (double sigma : sigmas) {
            max = Math.max(max, sigma);
        }
        boolean leading = config.spacing(Spacing.LINSPACE) == Spacing.LEADING;
        var levels = new NoiseLevel[timesteps.length];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = new NoiseLevel(1, sigmas[i]);
        }
        return new Sampling(sampler, Grid.ofSigmas(timesteps, sigmas, alphas), config.prediction(), Clipping.none(),
                leading ? Math.sqrt(max * max + 1) : max, List.of(levels));
    }
}
