package io.sfumato.diffusion;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * The variances of the training noise that a scheduler's class knows: from {@code start} to {@code end} by one of {@code schedules},
 * the first of them where none is named, in float32 as the reference has them.
 */
record Betas(double start, double end, Terminal terminal, List<String> schedules) {
    private static final String[] COMMON = {"linear", "scaled_linear", "squaredcos_cap_v2"};

    static final Betas DDPM = new Betas(0.0001, 0.02, Terminal.ZERO, "linear", "scaled_linear", "squaredcos_cap_v2", "laplace", "sigmoid");
    static final Betas PLAIN = new Betas(0.0001, 0.02, Terminal.AS_TRAINED, COMMON);
    static final Betas ZERO_SNR = new Betas(0.0001, 0.02, Terminal.ZERO, COMMON);
    static final Betas NEARLY_ZERO_SNR = new Betas(0.0001, 0.02, Terminal.NEARLY_ZERO, COMMON);
    static final Betas LATENT = new Betas(0.00085, 0.012, Terminal.AS_TRAINED, COMMON);
    static final Betas DISTILLED = new Betas(0.00085, 0.012, Terminal.ZERO, "scaled_linear", "linear", "squaredcos_cap_v2");
    static final Betas HEUN = new Betas(0.00085, 0.012, Terminal.AS_TRAINED, "linear", "scaled_linear", "squaredcos_cap_v2", "exp");
    static final Betas UNCLIP = new Betas(0, 0, Terminal.AS_TRAINED, "squaredcos_cap_v2");
    /** Of schedulers whose sigmas do not come from betas. */
    static final Betas NONE = new Betas(0, 0, Terminal.AS_TRAINED);

    private static final double MAX_BETA = 0.999;
    private static final double SIGMOID_REACH = 6;

    /** What {@code rescale_betas_zero_snr} leaves of the picture at the last timestep. */
    enum Terminal {
        /** The class has no such key. */
        AS_TRAINED,
        ZERO,
        /** Little enough that its sigma is still finite. */
        NEARLY_ZERO;

        private static final double TINY = 0x1p-24;
    }

    private Betas(double start, double end, Terminal terminal, String... schedules) {
        this(start, end, terminal, List.of(schedules));
    }

    /** The cumulative products of 1 - beta at the training timesteps. */
    double[] alphasCumprod(SchedulerConfig config) {
        if (schedules.isEmpty()) {
            throw new IllegalArgumentException(config.className() + " has no betas");
        }
        boolean zeroSnr = terminal != Terminal.AS_TRAINED && config.flag("rescale_betas_zero_snr", false);
        double[] alphas = Arrays.stream(values(config)).map(beta -> 1f - (float) beta).toArray();
        double[] cumprod = cumprod(zeroSnr ? zeroTerminalSnr(cumprod(alphas)) : alphas);
        if (zeroSnr && terminal == Terminal.NEARLY_ZERO) {
            cumprod[cumprod.length - 1] = Terminal.TINY;
        }
        return cumprod;
    }

    /** The betas themselves. */
    double[] values(SchedulerConfig config) {
        int n = config.trainTimesteps();
        double[] trained = config.numbers("trained_betas");
        if (trained.length > 0) {
            return Sigmas.floats(trained);
        }
        double first = config.number("beta_start", start);
        double last = config.number("beta_end", end);
        return switch (config.choice("beta_schedule", schedules.toArray(String[]::new))) {
            case "linear" -> Sigmas.floatLinspace(first, last, n);
            case "scaled_linear" -> Arrays.stream(Sigmas.floatLinspace(Math.sqrt(first), Math.sqrt(last), n))
                    .map(b -> (float) b * (float) b).toArray();
            case "sigmoid" -> Arrays.stream(Sigmas.floatLinspace(-SIGMOID_REACH, SIGMOID_REACH, n))
                    .map(x -> (float) (1 / (1 + Math.exp(-x))) * (float) (last - first) + (float) first).toArray();
            case "laplace" -> ofAlphaBar(n, Betas::laplace);
            case "exp" -> ofAlphaBar(n, t -> Math.exp(-12 * t));
            default -> ofAlphaBar(n, Betas::cosine);
        };
    }

    /** Rounded to float32 at each place, but not on the way. */
    private static double[] cumprod(double[] values) {
        double[] products = new double[values.length];
        double product = 1;
        for (int i = 0; i < values.length; i++) {
            product *= values[i];
            products[i] = (float) product;
        }
        return products;
    }

    /** Steps of a function that gives what is left of the picture at each time in [0, 1]. */
    private static double[] ofAlphaBar(int n, DoubleUnaryOperator alphaBar) {
        double[] betas = new double[n];
        for (int i = 0; i < n; i++) {
            double step = alphaBar.applyAsDouble((i + 1) / (double) n) / alphaBar.applyAsDouble(i / (double) n);
            betas[i] = (float) Math.min(1 - step, MAX_BETA);
        }
        return betas;
    }

    /** Nichol and Dhariwal 2021, formula 17. */
    private static double cosine(double t) {
        double cos = Math.cos((t + 0.008) / 1.008 * Math.PI / 2);
        return cos * cos;
    }

    /** Log-SNR of the quantiles of a Laplace distribution (Hang et al. 2024). */
    private static double laplace(double t) {
        double lambda = -0.5 * Math.copySign(1, 0.5 - t) * Math.log(1 - 2 * Math.abs(0.5 - t) + 1e-6);
        double snr = Math.exp(lambda);
        return Math.sqrt(snr / (1 + snr));
    }

    /** Lin et al. 2023, algorithm 1: alphas whose product ends at zero. */
    private static double[] zeroTerminalSnr(double[] cumprod) {
        int n = cumprod.length;
        float first = (float) Math.sqrt(cumprod[0]);
        float last = (float) Math.sqrt(cumprod[n - 1]);
        float[] bar = new float[n];
        for (int i = 0; i < n; i++) {
            float sqrt = ((float) Math.sqrt(cumprod[i]) - last) * (first / (first - last));
            bar[i] = sqrt * sqrt;
        }
        double[] alphas = new double[n];
        // Through betas and back, for the reference's rounding.
        Arrays.setAll(alphas, i -> 1f - (1f - (i == 0 ? bar[0] : bar[i] / bar[i - 1])));
        return alphas;
    }
}
