package io.sfumato.diffusion;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * The steps of schedulers in the manner of Karras et al. 2022, whose x is x0 + sigma epsilon: a timestep and a sigma for each, and one
 * more sigma, the last.
 */
record SigmaLayout(SchedulerConfig config, double[] timesteps, double[] sigmas) {

    static SigmaLayout of(SchedulerConfig config, Steps steps) {
        float[] table = Sigmas.ofAlphasCumprod(config.alphasCumprod());
        if (config.kSchedule().isPresent() && steps.kind() == Steps.Kind.COUNT) {
            double[] sigmas = config.kSchedule().get().sigmas(new SigmaTable(config.alphasCumprod()), steps.count());
            return new SigmaLayout(config, Sigmas.floats(Sigmas.timesteps(Arrays.copyOf(sigmas, sigmas.length - 1), table)), sigmas);
        }
        if (steps.kind() == Steps.Kind.SIGMAS) {
            double[] sigmas = Sigmas.floats(steps.sigmas());
            return new SigmaLayout(config, Sigmas.floats(Sigmas.timesteps(Arrays.copyOf(sigmas, sigmas.length - 1), table)), sigmas);
        }
        double[] timesteps = config.floatTimesteps(Spacing.LINSPACE, steps);
        double[] sigmas = logLinear(config) ? Sigmas.logLinear(table, steps.count()) : Sigmas.interpolate(timesteps, table);
        SigmaSchedule schedule = config.sigmaSchedule(steps);
        if (schedule != SigmaSchedule.NORMAL) {
            double max = config.number("sigma_max", sigmas[0]);
            double min = config.number("sigma_min", sigmas[sigmas.length - 1]);
            sigmas = schedule.sigmas(max, min, steps.count());
            timesteps = Sigmas.floats(Sigmas.timesteps(sigmas, table));
        }
        return new SigmaLayout(config, timesteps, Sigmas.closed(sigmas, endsAtZero(config) ? 0 : table[0]));
    }

    private static boolean logLinear(SchedulerConfig config) {
        return config.className().equals(SchedulerClass.EULER.className())
                && config.choice("interpolation_type", "linear", "log_linear").equals("log_linear");
    }

    private static boolean endsAtZero(SchedulerConfig config) {
        return !config.className().equals(SchedulerClass.EULER.className()) || config.endsAtZero();
    }

    SigmaLayout at(double[] otherTimesteps) {
        return new SigmaLayout(config, otherTimesteps, sigmas);
    }

    void requireEndAtZero() {
        if (sigmas[timesteps.length] > 0) {
            throw new IllegalArgumentException("the schedule ends at sigma " + sigmas[timesteps.length]
                    + ", but samplers with two calls a step end at 0");
        }
    }

    /** Two calls a step but for the last, the second of them where the next step begins. */
    SigmaLayout twice() {
        requireEndAtZero();
        return new SigmaLayout(config, doubled(timesteps), Sigmas.closed(doubled(Arrays.copyOf(sigmas, timesteps.length)),
                sigmas[timesteps.length]));
    }

    /** Each value but the first twice. */
    static double[] doubled(double[] values) {
        return DoubleStream.concat(DoubleStream.of(values[0]),
                Arrays.stream(values).skip(1).flatMap(v -> DoubleStream.of(v, v))).toArray();
    }

    Sampling sampling(Sampler sampler, Clipping clipping) {
        double max = Arrays.stream(sigmas).max().orElseThrow();
        boolean leading = config.spacing(Spacing.LINSPACE) == Spacing.LEADING;
        Grid grid = Grid.ofSigmas(timesteps, sigmas, NoiseScale.VARIANCE_EXPLODING);
        return new Sampling(sampler, grid, config.prediction(), clipping, leading ? Math.sqrt(max * max + 1) : max);
    }
}
