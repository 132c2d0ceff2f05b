package io.sfumato.training;

/** Cumulative products of 1 - beta over 1000 training timesteps. */
final class Alphas {
    private Alphas() {
    }

    /** Stable Diffusion's schedule; with {@code zeroTerminalSnr} rescaled so that the last step is pure noise (Lin et al. 2024, algorithm 1). */
    static double[] scaledLinear(boolean zeroTerminalSnr) {
        int n = 1000;
        double[] root = new double[n];
        double product = 1;
        for (int i = 0; i < n; i++) {
            double beta = Math.pow(Math.sqrt(0.00085) + (Math.sqrt(0.012) - Math.sqrt(0.00085)) * i / (n - 1), 2);
            product *= 1 - beta;
            root[i] = Math.sqrt(product);
        }
        double first = root[0], last = zeroTerminalSnr ? root[n - 1] : 0;
        double[] alphas = new double[n];
        for (int i = 0; i < n; i++) {
            alphas[i] = Math.pow((root[i] - last) * first / (first - last), 2);
        }
        return alphas;
    }
}
