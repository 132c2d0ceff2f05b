package io.sfumato.diffusion;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * The steps of solvers that integrate over lambda: a whole timestep and a sigma for each, and one more sigma, the last. One step more
 * than is asked for is laid out over the training, and its end at timestep 0 left away.
 */
record LambdaLayout(SchedulerConfig config, double[] timesteps, double[] sigmas) {
    private static final Set<SchedulerClass> CLIP_LAMBDA =
            EnumSet.of(SchedulerClass.DPM_MULTISTEP, SchedulerClass.DPM_SINGLESTEP, SchedulerClass.SA);
    private static final Set<SchedulerClass> NAME_THE_LAST =
            EnumSet.of(SchedulerClass.DPM_MULTISTEP, SchedulerClass.DPM_SINGLESTEP, SchedulerClass.UNIPC);
    private static final Set<SchedulerClass> END_WITH_THE_TABLE =
            EnumSet.of(SchedulerClass.DPM_MULTISTEP, SchedulerClass.DPM_SINGLESTEP);
    // Keeps what is left of the picture above zero.
    private static final double NEARLY_ONE = 1e-6;

    static LambdaLayout of(SchedulerConfig config, Steps steps) {
        if (flow(config)) {
            return ofFlow(config, steps);
        }
        if (steps.kind() == Steps.Kind.SIGMAS) {
            throw new IllegalArgumentException(config.className() + " takes sigmas of one's own with use_flow_sigmas alone");
        }
        if (config.number("shift_terminal", 0) != 0 && config.schedulerClass() == SchedulerClass.UNIPC) {
            throw config.error("shift_terminal", config.text("shift_terminal", ""), "a number with use_flow_sigmas");
        }
        double[] alphas = config.alphasCumprod();
        float[] table = Sigmas.ofAlphasCumprod(alphas);
        if (config.kSchedule().isPresent() && steps.kind() == Steps.Kind.COUNT) {
            double[] all = config.kSchedule().get().sigmas(new SigmaTable(alphas), steps.count());
            double[] sigmas = Arrays.copyOf(all, all.length - 1);
            double last = all[all.length - 1] > 0 ? all[all.length - 1] : closed(config, sigmas, table[0])[sigmas.length];
            return new LambdaLayout(config, Spacing.rounded(Sigmas.timesteps(sigmas, table)), Sigmas.closed(sigmas, last));
        }
        SigmaSchedule schedule = config.sigmaSchedule(steps);
        if (schedule == SigmaSchedule.NORMAL) {
            double[] timesteps = timesteps(config, steps, alphas);
            return new LambdaLayout(config, timesteps, closed(config, Sigmas.interpolate(timesteps, table), table[0]));
        }
        double[] sigmas = schedule.sigmas(config.number("sigma_max", table[table.length - 1]), config.number("sigma_min", table[0]),
                steps.count());
        double last = END_WITH_THE_TABLE.contains(config.schedulerClass()) ? table[0] : sigmas[sigmas.length - 1];
        return new LambdaLayout(config, whole(Sigmas.timesteps(sigmas, table), config, schedule), closed(config, sigmas, last));
    }

    static boolean flow(SchedulerConfig config) {
        return config.flag("use_flow_sigmas", false);
    }

    /** What networks of these schedulers may predict: the velocity of a flow too, on a flow's sigmas. */
    static Prediction prediction(SchedulerConfig config) {
        if (!config.text("prediction_type", "epsilon").equals("flow_prediction")) {
            return config.prediction();
        }
        if (!flow(config)) {
            throw config.error("prediction_type", "flow_prediction", "epsilon, v_prediction, sample, and it with use_flow_sigmas");
        }
        return Prediction.FLOW;
    }

    private static double[] closed(SchedulerConfig config, double[] sigmas, double last) {
        return Sigmas.closed(sigmas, NAME_THE_LAST.contains(config.schedulerClass()) && config.endsAtZero() ? 0 : last);
    }

    private static double[] timesteps(SchedulerConfig config, Steps steps, double[] alphas) {
        if (steps.kind() == Steps.Kind.TIMESTEPS) {
            return Arrays.stream(config.floatTimesteps(Spacing.LINSPACE, steps)).map(Math::floor).toArray();
        }
        double min = CLIP_LAMBDA.contains(config.schedulerClass()) ? config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY)
                : Double.NEGATIVE_INFINITY;
        int last = lastTimestep(alphas, min);
        int n = steps.count();
        Spacing spacing = config.schedulerClass() == SchedulerClass.DPM_SINGLESTEP ? Spacing.LINSPACE : config.spacing(Spacing.LINSPACE);
        return Spacing.rounded(switch (spacing) {
            case LINSPACE -> Arrays.copyOf(Spacing.linspace(last - 1, n + 1), n);
            case LEADING -> Arrays.copyOf(Spacing.leading(last / (n + 1), n + 1, config.integer("steps_offset", 0)), n);
            case TRAILING -> Spacing.trailing(last, (double) config.trainTimesteps() / n);
        });
    }

    /** How many training timesteps have a lambda of {@code min} or more: the rest is too noisy to start from. */
    private static int lastTimestep(double[] alphas, double min) {
        int last = alphas.length;
        while (last > 1 && NoiseLevel.ofAlphaCumprod(alphas[last - 1]).lambda() < min) {
            last--;
        }
        return last;
    }

    /** Networks get whole timesteps: cut, but rounded first for two schedules, as in the reference. */
    private static double[] whole(double[] timesteps, SchedulerConfig config, SigmaSchedule schedule) {
        boolean cosine = config.schedulerClass() == SchedulerClass.DPM_MULTISTEP
                && config.text("beta_schedule", "linear").equals("squaredcos_cap_v2");
        boolean round = (schedule == SigmaSchedule.KARRAS || schedule == SigmaSchedule.LU) && !cosine;
        return Arrays.stream(timesteps).map(t -> round ? Math.rint(t) : Math.floor(t)).toArray();
    }

    private static LambdaLayout ofFlow(SchedulerConfig config, Steps steps) {
        if (steps.kind() == Steps.Kind.TIMESTEPS) {
            throw new IllegalArgumentException("timesteps of one's own and use_flow_sigmas: one of them is wanted");
        }
        config.require("time_shift_type", "exponential");
        boolean unipc = config.schedulerClass() == SchedulerClass.UNIPC;
        double[] sigmas = unipc ? unipcFlow(config, steps) : multistepFlow(config, steps);
        double[] timesteps = Arrays.stream(sigmas).map(s -> Math.floor(s * config.trainTimesteps())).toArray();
        double last = END_WITH_THE_TABLE.contains(config.schedulerClass()) ? Sigmas.ofAlphasCumprod(config.alphasCumprod())[0]
                : sigmas[sigmas.length - 1];
        return new LambdaLayout(config, timesteps, closed(config, sigmas, last));
    }

    private static double[] multistepFlow(SchedulerConfig config, Steps steps) {
        if (config.sigmaSchedule(steps) != SigmaSchedule.NORMAL) {
            throw config.error(config.sigmaSchedule(steps).key(), "true", "one schedule of sigmas, and use_flow_sigmas is set");
        }
        boolean dynamic = config.flag("use_dynamic_shifting", false) && !Double.isNaN(steps.mu());
        double shift = dynamic ? Math.exp(steps.mu()) : config.number("flow_shift", 1);
        double[] alphas = Sigmas.linspace(1, 1.0 / config.trainTimesteps(), steps.count() + 1);
        double[] sigmas = new double[steps.count()];
        Arrays.setAll(sigmas, i -> FlowLayout.shifted(1 - alphas[steps.count() - i], shift));
        return sigmas;
    }

    private static double[] unipcFlow(SchedulerConfig config, Steps steps) {
        SigmaSchedule schedule = config.sigmaSchedule(steps);
        if (schedule == SigmaSchedule.KARRAS) {
            float[] table = Sigmas.ofAlphasCumprod(config.alphasCumprod());
            double max = config.number("sigma_max", table[table.length - 1]);
            return Arrays.stream(schedule.sigmas(max, config.number("sigma_min", table[0]), steps.count())).map(s -> s / (s + 1)).toArray();
        }
        if (schedule != SigmaSchedule.NORMAL) {
            throw config.error(schedule.key(), "true", "one schedule of sigmas, and use_flow_sigmas is set");
        }
        boolean dynamic = config.flag("use_dynamic_shifting", false);
        FlowLayout.requireMu(config, steps, dynamic);
        double shift = dynamic ? Math.exp(steps.mu()) : config.number("flow_shift", 1);
        double[] even = steps.kind() == Steps.Kind.SIGMAS ? steps.sigmas()
                : Arrays.copyOf(Sigmas.linspace(1, 1.0 / config.trainTimesteps(), steps.count() + 1), steps.count());
        double[] sigmas = FlowLayout.stretched(Arrays.stream(even).map(s -> FlowLayout.shifted(s, shift)).toArray(),
                config.number("shift_terminal", 0), v -> v);
        if (Math.abs(sigmas[0] - 1) < NEARLY_ONE) {
            sigmas[0] -= NEARLY_ONE;
        }
        return sigmas;
    }

    Sampling sampling(Sampler sampler, Clipping clipping) {
        NoiseScale scale = flow(config) ? NoiseScale.FLOW : NoiseScale.VARIANCE_PRESERVING;
        return new Sampling(sampler, Grid.ofSigmas(timesteps, sigmas, scale), prediction(config), clipping, 1);
    }
}
