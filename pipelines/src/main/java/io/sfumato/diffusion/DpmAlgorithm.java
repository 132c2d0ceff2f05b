package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/**
 * The exponential integrators of DPM-Solver (Lu et al. 2022, arXiv:2206.00927 and 2211.01095): over lambda, the half logarithm of the
 * signal-to-noise ratio, either the predicted noise or the predicted picture is integrated, of the ODE or of the SDE. All are
 * x_t = decay x - scale (phi1 D0 + phi2 D1 + phi3 D2) + std noise with phi of {@link #exponent}; D are the prediction and its
 * differences.
 */
enum DpmAlgorithm {
    DPMSOLVER("dpmsolver"), DPMSOLVER_PP("dpmsolver++"), SDE_DPMSOLVER("sde-dpmsolver"), SDE_DPMSOLVER_PP("sde-dpmsolver++"),
    /** SDE_DPMSOLVER_PP with the third-order term as the paper and k-diffusion have it: the reference has the other sign of a half. */
    SDE_PAPER("");

    // Below this the first term of the series is as good, and nothing is divided by zero.
    private static final double TINY = 1e-5;

    private final String key;

    DpmAlgorithm(String key) {
        this.key = key;
    }

    static DpmAlgorithm named(String key) {
        for (DpmAlgorithm each : values()) {
            if (each.key.equals(key)) {
                return each;
            }
        }
        return DPMSOLVER_PP;
    }

    /** Whether the picture is integrated, and not the noise. */
    boolean ofData() {
        return this != DPMSOLVER && this != SDE_DPMSOLVER;
    }

    boolean isRandom() {
        return this != DPMSOLVER && this != DPMSOLVER_PP;
    }

    /** What is integrated: the prediction for {@code x}, clipped. */
    Tensor prediction(Denoiser denoiser, Tensor x, Tensor out, NoiseLevel at) {
        return ofData() ? denoiser.x0(x, out, at) : denoiser.clippedEpsilon(x, out, at);
    }

    private double exponent(double h) {
        return switch (this) {
            case DPMSOLVER, SDE_DPMSOLVER -> h;
            case DPMSOLVER_PP -> -h;
            case SDE_DPMSOLVER_PP, SDE_PAPER -> -2 * h;
        };
    }

    private double scale(NoiseLevel t) {
        return switch (this) {
            case DPMSOLVER -> t.sigma();
            case SDE_DPMSOLVER -> 2 * t.sigma();
            case DPMSOLVER_PP, SDE_DPMSOLVER_PP, SDE_PAPER -> t.alpha();
        };
    }

    private double decay(NoiseLevel s, NoiseLevel t, double h) {
        return switch (this) {
            case DPMSOLVER, SDE_DPMSOLVER -> t.alpha() / s.alpha();
            case DPMSOLVER_PP -> t.sigma() / s.sigma();
            case SDE_DPMSOLVER_PP, SDE_PAPER -> t.sigma() / s.sigma() * Math.exp(-h);
        };
    }

    private double std(NoiseLevel t, double h) {
        // Where a step stays at its sigma, rounding may put it a bit behind.
        double forward = Math.max(h, 0);
        return t.sigma() * Math.sqrt(this == SDE_DPMSOLVER ? Math.expm1(2 * forward) : -Math.expm1(-2 * forward));
    }

    /** From {@code s} to {@code t} with the prediction at {@code s}. */
    Tensor first(Tensor x, NoiseLevel s, NoiseLevel t, Tensor d0, Noise noise) {
        double h = t.lambda() - s.lambda();
        Tensor next = x.mul(decay(s, t, h)).sub(d0.mul(scale(t) * Math.expm1(exponent(h))));
        return isRandom() ? next.add(noise.next(x).mul(std(t, h))) : next;
    }

    /** With a first difference, by one of two formulas of the same order. */
    Tensor second(Tensor x, NoiseLevel s, NoiseLevel t, Tensor d0, Tensor d1, boolean heun, Noise noise) {
        double k = exponent(t.lambda() - s.lambda());
        return first(x, s, t, d0, noise).sub(d1.mul(scale(t) * (heun ? phi2(k) : Math.expm1(k) / 2)));
    }

    /** With two differences. */
    Tensor third(Tensor x, NoiseLevel s, NoiseLevel t, Tensor d0, Tensor d1, Tensor d2, Noise noise) {
        double k = exponent(t.lambda() - s.lambda());
        double phi3 = phi3(k) + (this == SDE_DPMSOLVER_PP ? 1 : 0);
        return second(x, s, t, d0, d1, true, noise).sub(d2.mul(scale(t) * phi3));
    }

    private static double phi2(double k) {
        return Math.abs(k) < TINY ? k / 2 : Math.expm1(k) / k - 1;
    }

    private static double phi3(double k) {
        return Math.abs(k) < TINY ? k / 6 : (Math.expm1(k) - k) / (k * k) - 0.5;
    }
}
