package io.sfumato.diffusion;

import java.util.Arrays;

/**
 * The steps of networks with the preconditioning of Karras et al. 2022 (EDM, table 1): sigmas by their formula 5 or evenly in the
 * logarithm, timesteps log(sigma) / 4, and data of a given standard deviation.
 */
record EdmLayout(SchedulerConfig config, double[] sigmas) {

    static EdmLayout of(SchedulerConfig config, Steps steps) {
        double min = config.number("sigma_min", 0.002);
        double max = config.number("sigma_max", 80);
        double rho = config.number("rho", 7);
        boolean karras = config.choice("sigma_schedule", "karras", "exponential").equals("karras");
        double[] sigmas = karras
                ? Arrays.stream(Sigmas.linspace(0, 1, steps.count())).map(ramp -> SigmaSchedule.karras(max, min, rho, ramp)).toArray()
                : evenLogs(max, min, steps.count());
        double least = config.schedulerClass() == SchedulerClass.EDM_EULER ? sigmas[sigmas.length - 1] : min;
        return new EdmLayout(config, Sigmas.closed(sigmas, config.endsAtZero() ? 0 : least));
    }

    /** Of one step the reference takes the smallest sigma. */
    private static double[] evenLogs(double max, double min, int n) {
        double[] rising = Sigmas.floatLinspace(Math.log(min), Math.log(max), n);
        double[] sigmas = new double[n];
        Arrays.setAll(sigmas, i -> (float) Math.exp(rising[n - 1 - i]));
        return sigmas;
    }

    Sampling sampling(Sampler sampler, Clipping clipping) {
        Grid grid = Grid.ofSigmas(Sigmas.quarterLogs(sigmas), sigmas, NoiseScale.VARIANCE_EXPLODING);
        boolean v = config.choice("prediction_type", "epsilon", "v_prediction").equals("v_prediction");
        double max = config.number("sigma_max", 80);
        return new Sampling(sampler, grid, v ? Prediction.V_PREDICTION : Prediction.EDM, clipping, Math.sqrt(max * max + 1),
                config.number("sigma_data", 0.5));
    }

    static Sampling euler(SchedulerConfig config, Steps steps, StepOptions options) {
        return EdmLayout.of(config, steps).sampling(new Euler(options.churn(), true), Clipping.none());
    }

    static Sampling multistep(SchedulerConfig config, Steps steps, StepOptions options) {
        DpmAlgorithm algorithm = DpmAlgorithm.named(config.choice("algorithm_type", "dpmsolver++", "sde-dpmsolver++", "deis"));
        int order = DpmSolverMultistep.order(config, 3);
        if (order == 3 && algorithm.isRandom()) {
            throw config.error("solver_order", "3", "1, 2 with algorithm_type sde-dpmsolver++");
        }
        var sampler = new DpmSolverMultistep(algorithm, order, DpmSolverMultistep.heun(config), config.flag("lower_order_final", true),
                config.flag("euler_at_final", false));
        return EdmLayout.of(config, steps).sampling(sampler, config.thresholding());
    }
}
