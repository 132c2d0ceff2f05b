package io.sfumato.diffusion;

import java.util.Arrays;

/**
 * Noise-to-signal ratios of a grid and the timesteps that belong to them. A table has one sigma for each training timestep, rising.
 * Where the reference computes in float32, so does this: the timesteps must come out the same to the last bit.
 */
final class Sigmas {
    private static final float[] LOG_P = {0f, 1f, 2.112677543073053063722f, 1.480000633576506585156f,
        3.808837741388407920751e-1f, 2.589979117907922693523e-2f};
    private static final float[] LOG_Q = {1f, 2.612677543073109236779f, 2.453006071784736363091f, 9.864942958519418960339e-1f,
        1.546476374983906719538e-1f, 5.875095403124574342950e-3f};
    private static final float LN_2 = 0.693147180559945309417f;
    private static final float SQRT_2 = 1.41421356237f;

    private Sigmas() {
    }

    /** The table of sqrt((1 - a) / a). */
    static float[] ofAlphasCumprod(double[] alphasCumprod) {
        float[] table = new float[alphasCumprod.length];
        for (int i = 0; i < table.length; i++) {
            float a = (float) alphasCumprod[i];
            table[i] = (float) Math.sqrt((1f - a) / a);
        }
        return table;
    }

    /** {@code n} values from {@code start} to {@code end}, both included; the first alone if n is 1. */
    static double[] linspace(double start, double end, int n) {
        double step = (end - start) / (n - 1);
        double[] values = new double[n];
        Arrays.setAll(values, i -> i == 0 ? start : i == n - 1 ? end : i * step + start);
        return values;
    }

    /** The table read between its entries. */
    static double[] interpolate(double[] timesteps, float[] table) {
        return Arrays.stream(timesteps).map(t -> {
            double inside = Math.min(Math.max(t, 0), table.length - 1);
            int low = (int) inside;
            return low == inside ? table[low] : ((double) table[low + 1] - table[low]) * (inside - low) + table[low];
        }).toArray();
    }

    /** {@code n} float32 values as the reference's engine spaces them: from the nearer end, with one rounding each. */
    static double[] floatLinspace(double start, double end, int n) {
        float step = n == 1 ? 0 : ((float) end - (float) start) / (n - 1);
        double[] values = new double[n];
        Arrays.setAll(values, i -> i < n / 2 ? Math.fma(step, i, (float) start)
                : n == 1 ? (float) start : Math.fma(-step, n - 1 - i, (float) end));
        return values;
    }

    /** {@code steps} + 1 sigmas from the table's highest to its lowest, evenly spaced in their logarithm. */
    static double[] logLinear(float[] table, int steps) {
        return Arrays.stream(floatLinspace(log(table[table.length - 1]), log(table[0]), steps + 1)).map(l -> (float) Math.exp(l)).toArray();
    }

    /** The timesteps at which the table has {@code sigmas}, between its entries by their logarithm. */
    static double[] timesteps(double[] sigmas, float[] table) {
        float[] logs = logs(table);
        return Arrays.stream(sigmas).map(sigma -> {
            double log = Math.log(Math.max(sigma, 1e-10));
            int low = below(log, logs);
            double w = Math.min(Math.max((logs[low] - log) / (logs[low] - logs[low + 1]), 0), 1);
            return (1 - w) * low + w * (low + 1);
        }).toArray();
    }

    private static float[] logs(float[] table) {
        float[] logs = new float[table.length];
        for (int i = 0; i < logs.length; i++) {
            logs[i] = log(table[i]);
        }
        return logs;
    }

    /** The last but one at most. From the end: at a terminal signal-to-noise ratio of zero the last entries need not rise. */
    private static int below(double log, float[] logs) {
        int low = logs.length - 1;
        while (low > 0 && log < logs[low]) {
            low--;
        }
        return Math.min(low, logs.length - 2);
    }

    /** {@code sigmas}, then {@code last}, all rounded to float32. */
    static double[] closed(double[] sigmas, double last) {
        double[] closed = Arrays.copyOf(sigmas, sigmas.length + 1);
        closed[sigmas.length] = last;
        return floats(closed);
    }

    static double leastAboveZero(double[] sigmas) {
        return Arrays.stream(sigmas).filter(s -> s > 0).min().orElseThrow();
    }

    /** Half way between two sigmas in the logarithm, in float32, as is what {@link #throughLogarithm} gives. */
    static double geometricMean(double sigma, double next) {
        float t = (float) -Math.log(sigma);
        float h = (float) -Math.log(next) - t;
        return (float) Math.exp(-(t + h * 0.5f));
    }

    /** exp(log(sigma)): a Brownian motion is asked there, and has other digits at a sigma a bit away. */
    static double throughLogarithm(double sigma) {
        return (float) Math.exp((float) Math.log(sigma));
    }

    static double[] floats(double[] values) {
        return Arrays.stream(values).map(v -> (float) v).toArray();
    }

    /** log(sigma) / 4 of all but the last: the timesteps of networks that were trained on continuous noise. */
    static double[] quarterLogs(double[] sigmas) {
        return Arrays.stream(sigmas, 0, sigmas.length - 1).map(sigma -> 0.25f * (float) Math.log(sigma)).toArray();
    }

    /** NumPy's float32 logarithm, a quotient of polynomials, which is not always the nearest float. */
    static float log(float x) {
        int exponent = Math.getExponent(x);
        float mantissa = Math.scalb(x, -exponent);
        if (mantissa > SQRT_2) {
            mantissa *= 0.5f;
            exponent++;
        }
        return Math.fma((float) exponent, LN_2, polynomial(LOG_P, mantissa - 1) / polynomial(LOG_Q, mantissa - 1));
    }

    private static float polynomial(float[] coefficients, float x) {
        float sum = coefficients[5];
        for (int k = 4; k >= 0; k--) {
            sum = Math.fma(sum, x, coefficients[k]);
        }
        return sum;
    }
}
