package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * Denoising diffusion implicit models (Song et al. 2021, formula 12): {@code eta} 0 is deterministic, 1 adds as much noise as DDPM.
 * {@code clippedOutput} finds the noise of a step anew from the clipped picture. As the reference does, a step always goes one stride
 * down, even where the spacing puts the next timestep elsewhere.
 */
record Ddim(double eta, boolean clippedOutput) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double t = grid.timestep(i);
                    double alphaBar = grid.alphaCumprod(t);
                    double alphaBarNext = grid.alphaCumprod(t - grid.stride());
                    NoiseLevel at = grid.level(i);
                    Tensor out = denoiser.output(x, t);
                    Tensor x0 = denoiser.x0(x, out, at);
                    Tensor epsilon = clippedOutput ? Prediction.SAMPLE.epsilon(x, x0, at) : denoiser.epsilon(x, out, at);
                    double share = share(eta, alphaBar, alphaBarNext);
                    double std = Math.sqrt((1 - alphaBarNext) * share);
                    double direction = direction(eta, alphaBar, alphaBarNext);
                    Tensor next = x0.mul(Math.sqrt(alphaBarNext)).add(epsilon.mul(direction));
                    x = eta > 0 ? next.add(noise.next(x).mul(std)) : next;
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    /** How much of the variance that stays is drawn anew. */
    private static double share(double eta, double alphaBar, double alphaBarNext) {
        return eta * eta * (1 - alphaBar / alphaBarNext) / (1 - alphaBar);
    }

    /** What the predicted noise is multiplied by in the next x. */
    static double direction(double eta, double alphaBar, double alphaBarNext) {
        return Math.sqrt((1 - alphaBarNext) * (1 - share(eta, alphaBar, alphaBarNext)));
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        double[] alphas = config.alphasCumprod();
        double last = config.flag("set_alpha_to_one", true) ? 1 : alphas[0];
        Grid grid = Grid.ofAlphas(config.timesteps(Spacing.LEADING, steps), alphas, last, config.trainTimesteps() / steps.count());
        Sampler sampler = config.flag(DdimCfgPlusPlus.KEY, false) ? new DdimCfgPlusPlus(options.eta())
                : new Ddim(options.eta(), options.clippedOutput());
        return new Sampling(sampler, grid, config.prediction(), config.clipping(true), 1);
    }
}
