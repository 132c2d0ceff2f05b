package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * DPM-Solver-12 and 23 with a step size from the difference of the two orders (Lu et al. 2022, appendix C; k-diffusion's
 * sample_dpm_adaptive with its defaults): orders 2 and 3 in log sigma, from the grid's first sigma to its last whatever lies between.
 * Listeners hear of the step that a run of the grid's number of steps would have reached.
 */
record DpmAdaptive(double eta, SigmaTable table) implements Sampler {
    private static final double RELATIVE = 0.05;
    private static final double ABSOLUTE = 0.0078;
    private static final double FIRST_STEP = 0.05;
    private static final double ACCEPTED = 0.81;
    private static final double DONE = 1e-5;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        var steps = new DpmSteps(denoiser, table);
        double start = -Math.log(grid.sigma(grid.start()));
        double end = -Math.log(grid.sigma(grid.calls()));
        double h = FIRST_STEP;
        double t = start;
        try (var all = new Scope()) {
            Tensor before = x;
            while (t < end - DONE) {
                try (var scope = new Scope()) {
                    double next = Math.min(end, t + h);
                    double to = DpmSteps.down(t, next, end, eta);
                    double inner = t + (to - t) / 3;
                    Tensor epsilon = steps.epsilon(x, t);
                    Tensor inside = steps.epsilon(steps.first(x, epsilon, t, inner), inner);
                    Tensor low = steps.second(x, epsilon, inside, t, to, 1 / 3.0);
                    Tensor high = steps.third(x, epsilon, inside, t, to);
                    double factor = factor(low, high, before);
                    h *= factor;
                    if (factor >= ACCEPTED) {
                        Tensor x0 = x.sub(epsilon.mul(DpmSteps.sigma(t)));
                        before = scope.keep(low);
                        high = eta > 0 ? high.add(noise.next(x).mul(DpmSteps.up(next, to))) : high;
                        t = next;
                        int left = (int) Math.floor((end - t) / (end - start) * (grid.calls() - grid.start()));
                        x = scope.keep(onStep.onStep(grid.step(grid.calls() - 1 - Math.min(left, grid.calls() - grid.start() - 1),
                                high, x0)));
                    }
                }
            }
            return all.keep(x);
        }
    }

    /** What the step size is multiplied by: the inverse error to the power of 1 / order, kept near 1. */
    private double factor(Tensor low, Tensor high, Tensor before) {
        Tensor delta = low.abs().max(before.abs()).mul(RELATIVE).clamp(ABSOLUTE, Float.MAX_VALUE);
        double error = low.sub(high).div(delta).norm().item() / Math.sqrt(low.numel());
        double inverse = 1 / (error + 1e-8);
        return 1 + Math.atan(Math.pow(inverse, 1 / (eta > 0 ? 1.5 : 3)) - 1);
    }
}
