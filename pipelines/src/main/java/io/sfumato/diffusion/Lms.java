package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Linear multistep method: integrates the polynomial through the slopes of the last {@code order} steps (Adams and Bashforth with
 * uneven steps). As the reference does, a run begun in the middle takes the weights of one that was not, for the slopes it has.
 */
record Lms(int order) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            Deque<Tensor> slopes = new ArrayDeque<>();
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    Tensor x0 = denoiser.x0(x, sigma, grid.timestep(i));
                    slopes.addFirst(scope.keep(x.sub(x0).div(sigma)));
                    if (slopes.size() > order) {
                        slopes.removeLast();
                    }
                    int terms = Math.min(i + 1, order);
                    int k = 0;
                    for (Tensor slope : slopes) {
                        x = x.add(slope.mul(weight(grid, i, terms, k++)));
                    }
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    /** The integral over step {@code i} of the Lagrange polynomial that is 1 at the sigma {@code k} steps back, 0 at the others. */
    private static double weight(Grid grid, int i, int terms, int k) {
        double from = grid.sigma(i);
        double h = grid.sigma(i + 1) - from;
        double[] polynomial = {1};                                                          // of u, sigma = from + u h
        for (int j = 0; j < terms; j++) {
            if (j != k) {
                double scale = grid.sigma(i - k) - grid.sigma(i - j);
                polynomial = times(polynomial, (from - grid.sigma(i - j)) / scale, h / scale);
            }
        }
        double integral = 0;
        for (int n = 0; n < polynomial.length; n++) {
            integral += polynomial[n] / (n + 1);
        }
        return integral * h;
    }

    /** The polynomial's product with a + b u. */
    static double[] times(double[] polynomial, double a, double b) {
        double[] product = new double[polynomial.length + 1];
        for (int n = 0; n < polynomial.length; n++) {
            product[n] += polynomial[n] * a;
            product[n + 1] += polynomial[n] * b;
        }
        return product;
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        return SigmaLayout.of(config, steps).sampling(new Lms(options.order()), Clipping.none());
    }
}
