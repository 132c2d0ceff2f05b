package io.sfumato.diffusion;

import java.util.Arrays;

/**
 * The samplers under k-diffusion's own names, on sigmas laid out as k-diffusion and A1111's web UI do: by {@link KSchedule}, timesteps
 * between the training's by the logarithm of sigma, noise multiplied by the first sigma. {@code discard_next_to_last_sigma} lays out
 * one step more and leaves its last one away, as A1111 does for samplers that look ahead.
 */
final class KDiffusion {
    private KDiffusion() {
    }

    private static SigmaTable table(SchedulerConfig config) {
        return new SigmaTable(config.alphasCumprod());
    }

    private static SigmaLayout layout(SchedulerConfig config, Steps steps) {
        SigmaTable table = table(config);
        double[] sigmas = steps.kind() == Steps.Kind.SIGMAS ? Sigmas.floats(steps.sigmas()) : scheduled(config, steps.count(), table);
        int n = sigmas.length - 1;
        return new SigmaLayout(config, Sigmas.floats(table.timesteps(Arrays.copyOf(sigmas, n))), sigmas);
    }

    private static double[] scheduled(SchedulerConfig config, int n, SigmaTable table) {
        KSchedule schedule = config.kSchedule().orElse(KSchedule.UNIFORM);
        if (!config.flag("discard_next_to_last_sigma", false)) {
            return schedule.sigmas(table, n);
        }
        double[] more = schedule.sigmas(table, n + 1);
        double[] sigmas = Arrays.copyOf(more, more.length - 1);
        sigmas[sigmas.length - 1] = more[more.length - 1];
        return sigmas;
    }

    private static Sampling sampling(SigmaLayout layout, Sampler sampler) {
        Grid grid = Grid.ofSigmas(layout.timesteps(), layout.sigmas(), NoiseScale.VARIANCE_EXPLODING);
        return new Sampling(sampler, grid, layout.config().prediction(), Clipping.none(), layout.sigmas()[0]);
    }

    static Sampling euler(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(layout(config, steps), new ChurnedEuler(options.churn(), table(config)));
    }

    static Sampling eulerAncestral(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(layout(config, steps), new EulerAncestral());
    }

    static Sampling heun(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(layout(config, steps).twice(), new Heun(Heun.NOISE));
    }

    static Sampling dpm2(SchedulerConfig config, Steps steps, StepOptions options) {
        Kdpm2 sampler = new Kdpm2(false);
        return sampling(sampler.interleaved(layout(config, steps)), sampler);
    }

    static Sampling dpm2Ancestral(SchedulerConfig config, Steps steps, StepOptions options) {
        Kdpm2 sampler = new Kdpm2(true);
        return sampling(sampler.interleaved(layout(config, steps)), sampler);
    }

    static Sampling lms(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(layout(config, steps), new Lms(options.order()));
    }

    static Sampling dpmpp2sAncestral(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(layout(config, steps), new Dpm2sAncestral(table(config)));
    }

    static Sampling dpmppSde(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(DpmSde.withMiddles(layout(config, steps)), new DpmSde(Noise::brownian));
    }

    static Sampling dpmpp2m(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(layout(config, steps), new DpmSolverMultistep(DpmAlgorithm.DPMSOLVER_PP, 2, false, false, false));
    }

    static Sampling dpmpp2mSde(SchedulerConfig config, Steps steps, StepOptions options) {
        boolean heun = config.choice("solver_type", "midpoint", "heun", "logrho", "bh1", "bh2").equals("heun");
        return sampling(layout(config, steps),
                new OverSigma(new DpmSolverMultistep(DpmAlgorithm.SDE_DPMSOLVER_PP, 2, heun, false, false)));
    }

    static Sampling dpmpp3mSde(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(layout(config, steps), new OverSigma(new DpmSolverMultistep(DpmAlgorithm.SDE_PAPER, 3, true, false, false)));
    }

    static Sampling dpmFast(SchedulerConfig config, Steps steps, StepOptions options) {
        SigmaTable table = table(config);
        double[] starts = DpmFast.starts(table, steps.count());
        int n = starts.length - 1;
        var layout = new SigmaLayout(config, Sigmas.floats(table.timesteps(Arrays.copyOf(starts, n))), starts);
        return sampling(layout, new DpmFast(DpmFast.orders(steps.count()), eta(config), table));
    }

    static Sampling dpmAdaptive(SchedulerConfig config, Steps steps, StepOptions options) {
        SigmaTable table = table(config);
        double[] sigmas = KSchedule.EXPONENTIAL.sigmas(table, steps.count());
        sigmas[sigmas.length - 1] = table.min();
        var layout = new SigmaLayout(config, Sigmas.floats(table.timesteps(Arrays.copyOf(sigmas, steps.count()))), sigmas);
        return sampling(layout, new DpmAdaptive(eta(config), table));
    }

    static Sampling restart(SchedulerConfig config, Steps steps, StepOptions options) {
        return sampling(Restart.layout(layout(config, steps), table(config)), new Restart(table(config)));
    }

    private static double eta(SchedulerConfig config) {
        return config.number("eta", 0);
    }
}
