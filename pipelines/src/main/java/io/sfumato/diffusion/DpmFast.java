package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * DPM-Solver-fast (Lu et al. 2022, section 3.4): steps of third order while calls are left for them, even in log sigma, from the
 * table's highest sigma to its lowest. {@code eta} adds noise back after each.
 */
record DpmFast(List<Integer> orders, double eta, SigmaTable table) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        var steps = new DpmSteps(denoiser, table);
        double end = -Math.log(grid.sigma(grid.calls()));
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double t = -Math.log(grid.sigma(i));
                    double next = -Math.log(grid.sigma(i + 1));
                    double to = DpmSteps.down(t, next, end, eta);
                    Tensor epsilon = steps.epsilon(x, t);
                    int order = orders.get(i);
                    double r = order == 3 ? 1 / 3.0 : 0.5;
                    double inner = t + r * (to - t);
                    Tensor there = order == 1 ? steps.first(x, epsilon, t, to)
                            : order == 2 ? steps.second(x, epsilon, inside(steps, x, epsilon, t, inner), t, to, r)
                            : steps.third(x, epsilon, inside(steps, x, epsilon, t, inner), t, to);
                    Tensor noisy = eta > 0 ? there.add(noise.next(x).mul(DpmSteps.up(next, to))) : there;
                    x = scope.keep(onStep.onStep(grid.step(i, noisy, x.sub(epsilon.mul(grid.sigma(i))))));
                }
            }
            return all.keep(x);
        }
    }

    private static Tensor inside(DpmSteps steps, Tensor x, Tensor epsilon, double t, double inner) {
        return steps.epsilon(steps.first(x, epsilon, t, inner), inner);
    }

    /** As many calls in all as {@code steps}. */
    static List<Integer> orders(int steps) {
        int m = steps / 3 + 1;
        List<Integer> orders = new ArrayList<>(Collections.nCopies(steps % 3 == 0 ? m - 2 : m - 1, 3));
        orders.addAll(steps % 3 == 0 ? List.of(2, 1) : List.of(steps % 3));
        return List.copyOf(orders);
    }

    static double[] starts(SigmaTable table, int steps) {
        return SigmaSchedule.EXPONENTIAL.sigmas(table.max(), table.min(), orders(steps).size() + 1);
    }
}
