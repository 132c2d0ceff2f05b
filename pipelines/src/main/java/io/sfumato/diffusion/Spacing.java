package io.sfumato.diffusion;

import java.util.Arrays;

/** How timesteps are spread over the training ones (Lin et al. 2023, table 2); all lists fall. The rounding is NumPy's. */
enum Spacing {
    LINSPACE, LEADING, TRAILING;

    /** {@code steps} timesteps of {@code train}; only LINSPACE's are not whole numbers. */
    double[] timesteps(int train, int steps, int offset) {
        return switch (this) {
            case LINSPACE -> linspace(train - 1, steps);
            case LEADING -> leading(train / steps, steps, offset);
            case TRAILING -> trailing(train, (double) train / steps);
        };
    }

    static double[] rounded(double[] timesteps) {
        return Arrays.stream(timesteps).map(Math::rint).toArray();
    }

    /** {@code n} values from {@code top} down to 0. */
    static double[] linspace(double top, int n) {
        double[] up = Sigmas.linspace(0, top, n);
        double[] ts = new double[n];
        Arrays.setAll(ts, i -> up[n - 1 - i]);
        return ts;
    }

    /** The {@code n} lowest multiples of {@code ratio}, moved up by {@code offset}. */
    static double[] leading(int ratio, int n, int offset) {
        double[] ts = new double[n];
        Arrays.setAll(ts, i -> (n - 1 - i) * ratio + offset);
        return ts;
    }

    /** From {@code top} - 1 down by about {@code step}, as many as stay above -1. */
    static double[] trailing(int top, double step) {
        double delta = (top - step) - top;
        double[] ts = new double[(int) Math.ceil(top / step)];
        Arrays.setAll(ts, i -> Math.rint(top + i * delta) - 1);
        return ts;
    }
}
