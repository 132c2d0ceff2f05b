package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Locale;

/**
 * Diffusion in continuous time from 0, the picture, to 1, noise (Kingma et al. 2021), as Imagen was trained: {@link #logSnr} says how
 * much is left of the picture.
 */
public enum ContinuousTime {
    /** alpha = cos(pi t / 2) (Nichol and Dhariwal 2021), ends cut so that the logarithm stays finite. */
    COSINE {
        @Override
        public double logSnr(double t) {
            double least = Math.atan(Math.exp(-0.5 * LARGEST)), most = Math.atan(Math.exp(0.5 * LARGEST));
            return -2 * Math.log(Math.tan(least + t * (most - least)));
        }
    },
    /** The betas 1e-4 to 2e-2 of Ho et al. 2020 in infinitely many steps. */
    LINEAR {
        @Override
        public double logSnr(double t) {
            return -Math.log(Math.expm1(1e-4 + 10 * t * t));
        }
    };

    private static final double LARGEST = 20;

    /** The logarithm of the signal-to-noise ratio, falling. */
    public abstract double logSnr(double t);

    public NoiseLevel level(double t) {
        double alphaBar = 1 / (1 + Math.exp(-logSnr(t)));
        return new NoiseLevel(Math.sqrt(alphaBar), Math.sqrt(1 / (1 + Math.exp(logSnr(t)))));
    }

    public static ContinuousTime named(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    /**
     * Ancestral sampling in even steps (Saharia et al. 2022, appendix B).
     *
     * @param gamma between 0, the posterior's variance, and 1, the forward process's
     * @param x     noise (B, ...)
     */
    public Tensor sample(Denoiser denoiser, Tensor x, int steps, double gamma, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = 0; i < steps; i++) {
                try (var scope = new Scope()) {
                    double t = (steps - i) / (double) steps, s = (steps - i - 1) / (double) steps;
                    NoiseLevel now = level(t), next = level(s);
                    Tensor x0 = denoiser.x0(x, denoiser.mean(x, t), now);
                    double ratio = Math.exp(logSnr(t) - logSnr(s));
                    Tensor mean = x.mul(ratio * next.alpha() / now.alpha()).add(x0.mul((1 - ratio) * next.alpha()));
                    double low = (1 - ratio) * next.sigma() * next.sigma(), high = (1 - ratio) * now.sigma() * now.sigma();
                    double deviation = Math.exp(0.5 * ((1 - gamma) * Math.log(low) + gamma * Math.log(high)));
                    x = s == 0 ? x0 : mean.add(noise.next(x).mul(deviation));
                    x = scope.keep(onStep.onStep(new Step(i, steps, t, x, x0)));
                }
            }
            return all.keep(x);
        }
    }
}
