package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/**
 * Multistep sampling of latent consistency models (Luo et al. 2023, algorithm 3): each call goes to the picture, and back under fresh
 * noise for the next. {@code scaling} is that of the timesteps in the boundary condition.
 */
record Lcm(double scaling) implements Sampler {
    private static final double SIGMA_DATA = 0.5;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double t = grid.timestep(i);
                    double scaled = t * scaling;
                    double norm = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
                    Tensor x0 = denoiser.x0(x, denoiser.output(x, t), grid.level(i));
                    Tensor denoised = x0.mul(scaled / Math.sqrt(norm)).add(x.mul(SIGMA_DATA * SIGMA_DATA / norm));
                    Tensor next = i == grid.calls() - 1 ? denoised : grid.level(i + 1).addNoise(denoised, noise.next(x));
                    x = scope.keep(onStep.onStep(grid.step(i, next, denoised)));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        var sampler = new Lcm(config.number("timestep_scaling", 10));
        return new Sampling(sampler, grid(config, steps), config.prediction(), config.clipping(false), 1);
    }

    /** Some of the timesteps that a model was distilled at, of the lower {@code strength} share of them, evenly. */
    static Grid grid(SchedulerConfig config, Steps steps) {
        double[] alphas = config.alphasCumprod();
        double last = config.flag("set_alpha_to_one", true) ? 1 : alphas[0];
        if (steps.kind() == Steps.Kind.TIMESTEPS) {
            if (steps.strength() < 1) {
                throw new IllegalArgumentException("timesteps of one's own and strength: one of them is wanted");
            }
            return Grid.ofAlphas(config.timesteps(Spacing.LEADING, steps), alphas, last, 1);
        }
        int original = config.integer("original_inference_steps", 50);
        if (original < 1 || original > config.trainTimesteps()) {
            throw config.error("original_inference_steps", Integer.toString(original), "1 to " + config.trainTimesteps());
        }
        int stride = config.trainTimesteps() / original;
        int known = (int) (original * steps.strength());
        if (steps.count() > known) {
            throw new IllegalArgumentException(steps.count() + " steps: the model was distilled for " + original
                    + " (original_inference_steps), of which " + known + " are left: take no more");
        }
        double[] timesteps = new double[steps.count()];
        double step = (double) known / steps.count();
        Arrays.setAll(timesteps, i -> (known - (int) (i * step)) * stride - 1);
        return Grid.ofAlphas(timesteps, alphas, last, 1);
    }
}
