package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Diffusion exponential integrator sampler (Zhang and Chen 2023, rho-AB): integrates the polynomial in log rho, rho = sigma / alpha,
 * through the noise that the last {@code order} calls predicted. The order falls at the end of short runs.
 */
record Deis(int order, boolean lowerOrderFinal) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            Deque<Tensor> epsilons = new ArrayDeque<>();
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    NoiseLevel at = grid.level(i);
                    NoiseLevel t = grid.level(i + 1);
                    Tensor x0 = denoiser.x0(x, denoiser.output(x, grid.timestep(i)), at);
                    epsilons.addFirst(scope.keep(Prediction.SAMPLE.epsilon(x, x0, at)));
                    int falling = DpmSolverMultistep.falling(order, grid, i, false, lowerOrderFinal);
                    int terms = Math.min(falling, epsilons.size());
                    Tensor sum = x.div(at.alpha());
                    int k = 0;
                    for (Tensor epsilon : epsilons) {
                        if (k < terms) {
                            sum = sum.add(epsilon.mul(weight(grid, i, terms, k++)));
                        }
                    }
                    Tensor next = sum.mul(t.alpha());
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    /** The integral over rho of the polynomial in log rho that is 1 at the call {@code k} steps back and 0 at the others. */
    private static double weight(Grid grid, int i, int terms, int k) {
        double own = logRho(grid, i - k);
        double[] polynomial = {1};
        for (int j = 0; j < terms; j++) {
            if (j != k) {
                double scale = own - logRho(grid, i - j);
                polynomial = Lms.times(polynomial, -logRho(grid, i - j) / scale, 1 / scale);
            }
        }
        double from = logRho(grid, i);
        double to = logRho(grid, i + 1);
        double integral = 0;
        for (int n = 0; n < polynomial.length; n++) {
            integral += polynomial[n] * (powers(to, n) - powers(from, n));
        }
        return integral;
    }

    /** The antiderivative of l^n e^l at l = log rho, which is that of (log rho)^n by rho. */
    private static double powers(double l, int n) {
        return n == 0 ? Math.exp(l) : Math.pow(l, n) * Math.exp(l) - n * powers(l, n - 1);
    }

    private static double logRho(Grid grid, int call) {
        return -grid.level(call).lambda();
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("algorithm_type", "deis", "dpmsolver", "dpmsolver++");
        config.require("solver_type", "logrho", "midpoint", "heun", "bh1", "bh2");
        var sampler = new Deis(DpmSolverMultistep.order(config, 3), config.flag("lower_order_final", true));
        return LambdaLayout.of(config, steps).sampling(sampler, config.thresholding());
    }
}
