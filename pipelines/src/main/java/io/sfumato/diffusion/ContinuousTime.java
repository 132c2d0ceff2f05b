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
        private static final double LEAST = Math.atan(Math.exp(-10)), MOST = Math.atan(Math.exp(10));

        @Override
        public double logSnr(double t) {
            return -2 * Math.log(Math.tan(LEAST + t * (MOST - LEAST)));
        }

        @Override
        public double timeOf(double alpha) {
            return (Math.acos(alpha) - LEAST) / (MOST - LEAST);
        }
    },
    /** The betas 1e-4 to 2e-2 of Ho et al. 2020 in infinitely many steps. */
    LINEAR {
        @Override
        public double logSnr(double t) {
            return -Math.log(Math.expm1(1e-4 + 10 * t * t));
        }

        @Override
        public double timeOf(double alpha) {
            return Math.sqrt((-2 * Math.log(alpha) - 1e-4) / 10);
        }
    };

    /** The logarithm of the signal-to-noise ratio, falling from 20 or less to -20 or more. */
    public abstract double logSnr(double t);

    /** When a picture is left with {@code alpha} of its values, between those at the ends. */
    public abstract double timeOf(double alpha);

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
     * @param from  the time to begin at, at most 1
     * @param gamma between 0, the posterior's variance, and 1, the forward process's
     * @param x     noise (B, ...)
     */
    public Tensor sample(Denoiser denoiser, Tensor x, double from, int steps, double gamma, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = 0; i < steps; i++) {
                try (var scope = new Scope()) {
                    double t = from * (steps - i) / steps, s = from * (steps - i - 1) / steps;
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
