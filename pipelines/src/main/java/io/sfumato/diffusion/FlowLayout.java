package io.sfumato.diffusion;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * The steps of a rectified flow: a timestep and a sigma in [0, 1] for each, and one more sigma, the last. Shifting moves them towards
 * the noise, as larger pictures want it (Esser et al. 2024, section 5.3.2).
 */
record FlowLayout(double[] timesteps, double[] sigmas) {

    static FlowLayout of(SchedulerConfig config, Steps steps) {
        boolean dynamic = config.flag("use_dynamic_shifting", false);
        config.require("time_shift_type", "exponential", "linear");
        requireMu(config, steps, dynamic);
        double shift = config.number("shift", 1);
        // Sigmas of one's own are shifted in float32 by the reference, others in float64.
        DoubleUnaryOperator round = steps.kind() == Steps.Kind.COUNT ? v -> v : v -> (float) v;
        double[] in = unshifted(config, steps, dynamic ? 1 : shift);
        double[] sigmas = Arrays.stream(in).map(dynamic ? dynamicShift(config, steps.mu(), round) : shift(shift, round)).toArray();
        sigmas = stretched(sigmas, config.number("shift_terminal", 0), round);
        SigmaSchedule schedule = config.sigmaSchedule(Steps.of(sigmas.length));
        if (schedule != SigmaSchedule.NORMAL) {
            sigmas = schedule.sigmas(sigmas[0], sigmas[sigmas.length - 1], sigmas.length);
        }
        sigmas = Sigmas.floats(sigmas);
        boolean inverted = config.flag("invert_sigmas", false);
        if (inverted) {
            sigmas = Sigmas.floats(Arrays.stream(sigmas).map(s -> 1 - s).toArray());
        }
        boolean own = steps.kind() == Steps.Kind.TIMESTEPS && !inverted;
        return new FlowLayout(own ? Sigmas.floats(steps.timesteps()) : timesteps(config, sigmas), Sigmas.closed(sigmas, inverted ? 1 : 0));
    }

    static void requireMu(SchedulerConfig config, Steps steps, boolean dynamic) {
        if (dynamic && Double.isNaN(steps.mu())) {
            throw new IllegalArgumentException(config.className() + " with use_dynamic_shifting wants a mu for the size of the picture");
        }
    }

    /** All moved towards the noise so that the last one is {@code terminal}; where that is 0 they stay. */
    static double[] stretched(double[] sigmas, double terminal, DoubleUnaryOperator round) {
        if (terminal == 0) {
            return sigmas;
        }
        DoubleUnaryOperator picture = s -> round.applyAsDouble(1 - s);
        double factor = round.applyAsDouble(picture.applyAsDouble(sigmas[sigmas.length - 1]) / round.applyAsDouble(1 - terminal));
        return Arrays.stream(sigmas).map(s -> picture.applyAsDouble(round.applyAsDouble(picture.applyAsDouble(s) / factor))).toArray();
    }

    /** {@code sigma} moved towards 1 by a shift above 1. */
    static double shifted(double sigma, double shift) {
        return shift * sigma / (1 + (shift - 1) * sigma);
    }

    /** The scheduler of Heun's method knows the plain shift alone. */
    static FlowLayout heun(SchedulerConfig config, Steps steps) {
        double shift = config.number("shift", 1);
        double[] sigmas = Sigmas.floats(Arrays.stream(unshifted(config, steps, shift)).map(shift(shift, v -> v)).toArray());
        return new FlowLayout(timesteps(config, sigmas), Sigmas.closed(sigmas, 0));
    }

    /** Even steps over the sigmas of the training, which are themselves shifted: so the shift acts twice at the ends. */
    private static double[] unshifted(SchedulerConfig config, Steps steps, double shift) {
        int train = config.trainTimesteps();
        return switch (steps.kind()) {
            case SIGMAS -> Sigmas.floats(steps.sigmas());
            case TIMESTEPS -> Arrays.stream(Sigmas.floats(steps.timesteps())).map(t -> (float) (t / train)).toArray();
            case COUNT -> {
                DoubleUnaryOperator shifted = shift(shift, v -> (float) v);
                double max = shifted.applyAsDouble(1) * train;
                double min = shifted.applyAsDouble((float) (1.0 / train)) * train;
                yield Arrays.stream(Sigmas.linspace(max, min, steps.count())).map(t -> t / train).toArray();
            }
        };
    }

    private static DoubleUnaryOperator shift(double shift, DoubleUnaryOperator round) {
        double more = round.applyAsDouble(shift - 1);
        return s -> round.applyAsDouble(round.applyAsDouble(round.applyAsDouble(shift) * s)
                / round.applyAsDouble(1 + round.applyAsDouble(more * s)));
    }

    private static DoubleUnaryOperator dynamicShift(SchedulerConfig config, double mu, DoubleUnaryOperator round) {
        double m = round.applyAsDouble(config.text("time_shift_type", "exponential").equals("linear") ? mu : Math.exp(mu));
        return s -> round.applyAsDouble(m / round.applyAsDouble(m + round.applyAsDouble(round.applyAsDouble(1 / s) - 1)));
    }

    private static double[] timesteps(SchedulerConfig config, double[] sigmas) {
        return Arrays.stream(sigmas).map(s -> (float) (s * config.trainTimesteps())).toArray();
    }

    /** Two calls a step but for the last, the second of them where the next step begins. */
    FlowLayout twice() {
        int n = timesteps.length;
        return new FlowLayout(SigmaLayout.doubled(timesteps), Sigmas.closed(SigmaLayout.doubled(Arrays.copyOf(sigmas, n)), sigmas[n]));
    }

    Sampling sampling(Sampler sampler) {
        return new Sampling(sampler, Grid.ofSigmas(timesteps, sigmas, NoiseScale.FLOW), Prediction.FLOW, Clipping.none(), 1);
    }
}
