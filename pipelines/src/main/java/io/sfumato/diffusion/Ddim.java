package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * Denoising diffusion implicit models (Song et al. 2021, formula 12): {@code eta} 0 is deterministic, 1 adds as much noise as DDPM.
 * As the reference does, a step always goes one stride down, even where the spacing puts the next timestep elsewhere.
 */
record Ddim(double eta) implements Sampler {

    Ddim {
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta is " + eta + ": between 0 and 1 is wanted");
        }
    }

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double t = grid.timestep(i);
                    double alphaBar = grid.alphaCumprod(t);
                    double alphaBarNext = grid.alphaCumprod(t - grid.stride());
                    NoiseLevel at = NoiseLevel.ofAlphaCumprod(alphaBar);
                    Tensor out = denoiser.output(x, t);
                    Tensor x0 = denoiser.x0(x, out, at);
                    double share = eta * eta * (1 - alphaBar / alphaBarNext) / (1 - alphaBar);
                    double std = Math.sqrt((1 - alphaBarNext) * share);
                    double direction = Math.sqrt((1 - alphaBarNext) * (1 - share));
                    Tensor next = x0.mul(Math.sqrt(alphaBarNext)).add(denoiser.epsilon(x, out, at).mul(direction));
                    x = scope.keep(eta > 0 ? next.add(noise.next(x).mul(std)) : next);
                    onStep.onStep(grid.step(i, x, x0));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, int steps, double eta) {
        double[] alphas = Betas.alphasCumprod(config, false);
        double[] timesteps = config.timesteps(Spacing.LEADING, steps);
        double last = config.flag("set_alpha_to_one", true) ? 1 : alphas[0];
        Grid grid = Grid.ofAlphas(timesteps, alphas, last, config.trainTimesteps() / steps);
        Clipping clipping = config.flag("thresholding", false) ? config.dynamicThreshold()
                : config.flag("clip_sample", true) ? Clipping.range(config.number("clip_sample_range", 1)) : Clipping.none();
        return Sampling.variancePreserving(new Ddim(eta), grid, config.prediction(), clipping);
    }
}
