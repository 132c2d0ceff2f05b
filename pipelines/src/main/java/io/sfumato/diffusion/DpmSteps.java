package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/**
 * Steps of DPM-Solver-1 to 3 (Lu et al. 2022, arXiv:2206.00927, algorithms 1 and 2) over t = -log sigma of x = x0 + sigma epsilon, from
 * the noise predicted at their beginning and at thirds or halves of them.
 */
record DpmSteps(Denoiser denoiser, SigmaTable table) {

    static double sigma(double t) {
        return Math.exp(-t);
    }

    Tensor x0(Tensor x, double t) {
        return denoiser.x0(x, sigma(t), table.timestep(sigma(t)));
    }

    Tensor epsilon(Tensor x, double t) {
        return x.sub(x0(x, t)).div(sigma(t));
    }

    Tensor first(Tensor x, Tensor epsilon, double t, double next) {
        return x.sub(epsilon.mul(sigma(next) * Math.expm1(next - t)));
    }

    /** With the noise at the share {@code r} of the step too. */
    Tensor second(Tensor x, Tensor epsilon, Tensor inside, double t, double next, double r) {
        return first(x, epsilon, t, next).sub(inside.sub(epsilon).mul(sigma(next) / (2 * r) * Math.expm1(next - t)));
    }

    /** With the noise {@code inside} at a third of the step, and at two thirds. */
    Tensor third(Tensor x, Tensor epsilon, Tensor inside, double t, double next) {
        double h = next - t;
        double far = t + 2 * h / 3;
        Tensor there = first(x, epsilon, t, far)
                .sub(inside.sub(epsilon).mul(sigma(far) * 2 * (Math.expm1(2 * h / 3) / (2 * h / 3) - 1)));
        return first(x, epsilon, t, next)
                .sub(epsilon(there, far).sub(epsilon).mul(sigma(next) * 1.5 * (Math.expm1(h) / h - 1)));
    }

    /** Where a step to {@code next} goes that adds noise back: not beyond {@code end}. */
    static double down(double t, double next, double end, double eta) {
        if (eta == 0) {
            return next;
        }
        double to = sigma(next);
        double up = Math.min(to, eta * EulerAncestral.sigmaUp(sigma(t), to));
        return Math.min(end, -Math.log(Math.sqrt(to * to - up * up)));
    }

    /** The noise that it adds. */
    static double up(double next, double down) {
        return Math.sqrt(Math.max(sigma(next) * sigma(next) - sigma(down) * sigma(down), 0));
    }
}
