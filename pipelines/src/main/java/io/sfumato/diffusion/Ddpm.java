package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Locale;

/**
 * Ancestral sampling of denoising diffusion probabilistic models (Ho et al. 2020, algorithm 2), with the strides and learned
 * variances of Nichol and Dhariwal 2021. A network that learned its {@code variance} answers with twice the channels of x.
 */
record Ddpm(Variance variance, Strides strides) implements Sampler {
    private static final double LEAST = 1e-20;

    /** Of the noise that a step adds: between beta-tilde and beta. */
    enum Variance { FIXED_SMALL, FIXED_LARGE, LEARNED, LEARNED_RANGE }

    /** The beta of the noise between two timesteps. */
    @FunctionalInterface
    interface Strides {
        double beta(Grid grid, double t, double next);

        static double ofAlphas(Grid grid, double t, double next) {
            return 1 - grid.alphaCumprod(t) / grid.alphaCumprod(next);
        }

        /** In float32, and the training's own beta for a stride of one: that shows at both ends, where float32 has few digits left. */
        static Strides ofBetas(double[] betas) {
            return (grid, t, next) -> next == t - 1 ? betas[(int) t] : (float) ofAlphas(grid, t, next);
        }
    }

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double t = grid.timestep(i);
                    double alphaBar = grid.alphaCumprod(t);
                    double next = i + 1 < grid.calls() ? grid.timestep(i + 1) : -1;
                    double alphaBarNext = grid.alphaCumprod(next);
                    double beta = strides.beta(grid, t, next);
                    Tensor raw = denoiser.output(x, t);                                     // (B, C or 2C, ...)
                    Tensor out = learned(raw, x) ? raw.narrow(1, 0, x.size(1)) : raw;
                    Tensor x0 = denoiser.x0(x, out, NoiseLevel.ofAlphaCumprod(alphaBar));
                    Tensor mean = x0.mul(Math.sqrt(alphaBarNext) * beta / (1 - alphaBar))
                            .add(x.mul(Math.sqrt(1 - beta) * (1 - alphaBarNext) / (1 - alphaBar)));
                    double small = Math.max((1 - alphaBarNext) / (1 - alphaBar) * beta, LEAST);
                    x = t > 0 ? mean.add(deviated(noise.next(x), raw, small, beta)) : mean;
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    private boolean learned(Tensor raw, Tensor x) {
        boolean learned = variance == Variance.LEARNED || variance == Variance.LEARNED_RANGE;
        if (learned && raw.size(1) != 2 * x.size(1)) {
            throw new IllegalArgumentException("variance_type " + variance.name().toLowerCase(Locale.ROOT) + " wants " + 2 * x.size(1)
                    + " channels from the network, which gives " + raw.size(1));
        }
        return learned;
    }

    private Tensor deviated(Tensor noise, Tensor raw, double small, double beta) {
        long channels = noise.size(1);
        return switch (variance) {
            case FIXED_SMALL -> noise.mul(Math.sqrt(small));
            case FIXED_LARGE -> noise.mul(Math.sqrt(beta));
            case LEARNED -> noise.mul(raw.narrow(1, channels, channels).sqrt());
            case LEARNED_RANGE -> {
                Tensor share = raw.narrow(1, channels, channels).add(1).div(2);
                yield noise.mul(share.mul(Math.log(beta) - Math.log(small)).add(Math.log(small)).mul(0.5).exp());
            }
        };
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        String type = config.choice("variance_type", "fixed_small", "fixed_small_log", "fixed_large", "learned", "learned_range");
        Variance variance = switch (type) {
            case "fixed_large" -> Variance.FIXED_LARGE;
            case "learned" -> Variance.LEARNED;
            case "learned_range" -> Variance.LEARNED_RANGE;
            default -> Variance.FIXED_SMALL;
        };
        Grid grid = Grid.ofAlphas(config.timesteps(Spacing.LEADING, steps), config.alphasCumprod(), 1, 1);
        return new Sampling(new Ddpm(variance, Strides::ofAlphas), grid, config.prediction(), config.clipping(true), 1);
    }

    /** unCLIP's own layout (Ramesh et al. 2022): both ends of the training are among the timesteps. */
    static Sampling unclip(SchedulerConfig config, Steps steps, StepOptions options) {
        if (steps.count() < 2) {
            throw new IllegalArgumentException("1 step: UnCLIPScheduler takes 2 or more");
        }
        boolean range = config.choice("variance_type", "fixed_small_log", "learned_range").equals("learned_range");
        config.require("prediction_type", "epsilon", "sample");
        double[] timesteps = Spacing.rounded(Spacing.linspace(config.trainTimesteps() - 1, steps.count()));
        Grid grid = Grid.ofAlphas(timesteps, config.alphasCumprod(), 1, 1);
        Strides strides = Strides.ofBetas(config.schedulerClass().betas().values(config));
        var sampler = new Ddpm(range ? Variance.LEARNED_RANGE : Variance.FIXED_SMALL, strides);
        return new Sampling(sampler, grid, config.prediction(), config.range(true), 1);
    }
}
