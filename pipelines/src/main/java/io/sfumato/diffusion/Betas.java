package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** The cumulative products of alphas at the training timesteps, in float32 as the reference has them. */
final class Betas {
    private static final double MAX_BETA = 0.999;
    // Keeps the first sigma finite where the terminal signal-to-noise ratio is zero.
    private static final double TINY = 0x1p-24;

    private Betas() {
    }

    /** {@code finite} keeps the last one above zero for samplers that divide by it. */
    static double[] alphasCumprod(SchedulerConfig config, boolean finite) {
        try (var scope = new Scope()) {
            boolean zeroSnr = config.flag("rescale_betas_zero_snr", false);
            Tensor alphas = betas(config).neg().add(1);
            double[] cumprod = (zeroSnr ? zeroTerminalSnr(alphas) : alphas).cumprod(0).toDoubles();
            if (zeroSnr && finite) {
                cumprod[cumprod.length - 1] = TINY;
            }
            return cumprod;
        }
    }

    private static Tensor betas(SchedulerConfig config) {
        int n = config.trainTimesteps();
        double[] trained = config.numbers("trained_betas");
        if (trained.length > 0) {
            float[] values = new float[trained.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) trained[i];
            }
            return Tensor.of(values, values.length);
        }
        double start = config.number("beta_start", 0.0001);
        double end = config.number("beta_end", 0.02);
        return switch (config.choice("beta_schedule", "linear", "scaled_linear", "squaredcos_cap_v2")) {
            case "linear" -> Tensor.linspace(start, end, n);
            case "scaled_linear" -> Tensor.linspace(Math.sqrt(start), Math.sqrt(end), n).square();
            default -> cosine(n);
        };
    }

    /** Nichol and Dhariwal 2021, formula 17. */
    private static Tensor cosine(int n) {
        float[] betas = new float[n];
        for (int i = 0; i < n; i++) {
            betas[i] = (float) Math.min(1 - alphaBar((i + 1) / (double) n) / alphaBar(i / (double) n), MAX_BETA);
        }
        return Tensor.of(betas, n);
    }

    private static double alphaBar(double t) {
        double cos = Math.cos((t + 0.008) / 1.008 * Math.PI / 2);
        return cos * cos;
    }

    /** Lin et al. 2023, algorithm 1: alphas whose product ends at zero. */
    private static Tensor zeroTerminalSnr(Tensor alphas) {
        long n = alphas.numel();
        Tensor sqrt = alphas.cumprod(0).sqrt();
        Tensor first = sqrt.select(0, 0);
        Tensor last = sqrt.select(0, n - 1);
        Tensor bar = sqrt.sub(last).mul(first.div(first.sub(last))).square();
        Tensor rest = bar.narrow(0, 1, n - 1).div(bar.narrow(0, 0, n - 1));
        // Through betas and back, for the reference's rounding.
        return Tensor.cat(0, bar.narrow(0, 0, 1), rest).neg().add(1).neg().add(1);
    }
}
