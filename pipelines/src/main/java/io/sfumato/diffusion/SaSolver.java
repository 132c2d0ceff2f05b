package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * SA-Solver, a stochastic Adams method (Xue et al. 2023, algorithm 1): predictor and corrector of their own orders over the predicted
 * picture or, where not {@code ofData}, noise. tau, the share of fresh noise, is 1 from timestep 200 to 800 and 0 elsewhere.
 */
record SaSolver(int predictor, int corrector, boolean ofData, boolean lowerOrderFinal) implements Sampler {
    private static final int TAU_FROM = 200;
    private static final int TAU_TO = 800;
    // Below this exponent the recursion of moments loses digits, and their series converges at once.
    private static final double SERIES = 1;
    private static final int TERMS = 20;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            List<Tensor> predictions = new ArrayList<>();
            Tensor last = x;
            Tensor lastNoise = x;
            int remembered = Math.max(predictor, corrector - 1);
            int correctorOrder = 0;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    NoiseLevel at = grid.level(i);
                    Tensor out = denoiser.mean(x, grid.timestep(i));
                    Tensor x0 = denoiser.x0(x, out, at);
                    predictions.add(scope.keep(ofData ? x0 : denoiser.clippedEpsilon(x, out, at)));
                    if (correctorOrder > 0) {
                        x = step(last, lastNoise, predictions, grid, i - 1, weights(grid, i - 1, i, correctorOrder));
                    }
                    last = scope.keep(x.clone());
                    lastNoise = scope.keep(noise.next(x));
                    int known = Math.min(i - grid.start(), remembered);
                    int left = lowerOrderFinal ? grid.calls() - i : Integer.MAX_VALUE - 1;
                    int order = Math.min(Math.min(predictor, left), known + 1);
                    correctorOrder = Math.min(Math.min(corrector, left + 1), known + 2);
                    Tensor next = step(last, lastNoise, predictions, grid, i, weights(grid, i, i, order));
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    private static double tau(Grid grid, int call) {
        return grid.timestep(call) >= TAU_FROM && grid.timestep(call) <= TAU_TO ? 1 : 0;
    }

    /** From call {@code s} to the next with the latest predictions weighted. */
    private Tensor step(Tensor x, Tensor noise, List<Tensor> predictions, Grid grid, int s, double[] weights) {
        NoiseLevel from = grid.level(s);
        NoiseLevel to = grid.level(s + 1);
        double h = to.lambda() - from.lambda();
        double tau2 = tau(grid, s) * tau(grid, s);
        double decay = ofData ? Math.exp(-tau2 * h) * to.sigma() / from.sigma() : to.alpha() / from.alpha();
        double std = to.sigma() * Math.sqrt(ofData ? -Math.expm1(-2 * tau2 * h) : tau2 * Math.expm1(2 * h));
        Tensor next = x.mul(decay).add(noise.mul(std));
        for (int k = 0; k < weights.length; k++) {
            next = next.add(predictions.get(predictions.size() - 1 - k).mul(weights[k]));
        }
        return next;
    }

    /**
     * Weights of the predictions at calls {@code newest}, {@code newest} - 1, ... in the step from call {@code s}: integrals of the
     * polynomials that are 1 at one of them and 0 at the others, times the exponential of the solver, over lambda.
     */
    private double[] weights(Grid grid, int s, int newest, int order) {
        NoiseLevel to = grid.level(s + 1);
        double from = grid.level(s).lambda();
        double h = to.lambda() - from;
        double rate = ofData ? 1 + tau(grid, s) * tau(grid, s) : -1;
        // For the noise alpha_t e^-lambda_s is sigma_s alpha_t / alpha_s; for the picture sigma_t e^lambda_t is alpha_t.
        double scale = ofData ? rate * to.alpha() * Math.exp(-rate * h) * h
                : -(1 + tau(grid, s) * tau(grid, s)) * to.alpha() * Math.exp(-from) * h;
        double[] weights = new double[order];
        for (int k = 0; k < order; k++) {
            double own = grid.level(newest - k).lambda();
            double[] polynomial = {1};                                                      // of u, lambda = from + u h
            for (int j = 0; j < order; j++) {
                if (j != k) {
                    double other = grid.level(newest - j).lambda();
                    polynomial = Lms.times(polynomial, (from - other) / (own - other), h / (own - other));
                }
            }
            for (int n = 0; n < polynomial.length; n++) {
                weights[k] += scale * polynomial[n] * moment(n, rate * h);
            }
        }
        if (ofData && order == 2) {
            double more = secondOrder(grid, s, newest, rate, h) * rate * to.alpha();
            weights[0] += more;
            weights[1] -= more;
        }
        return weights;
    }

    /** What the reference adds at second order, where Adams' own weights are less stable. */
    private static double secondOrder(Grid grid, int s, int newest, double rate, double h) {
        double rest = (h * rate + Math.expm1(-rate * h)) / (rate * rate);
        return newest == s ? (h * h / 2 - rest) / (grid.level(s).lambda() - grid.level(s - 1).lambda()) : h / 2 - rest / h;
    }

    /** The integral of u^n e^(a u) over u from 0 to 1. */
    private static double moment(int n, double a) {
        if (Math.abs(a) < SERIES) {
            double sum = 0;
            double term = 1;
            for (int k = 0; k < TERMS; k++) {
                sum += term / (n + k + 1);
                term *= a / (k + 1);
            }
            return sum;
        }
        return n == 0 ? Math.expm1(a) / a : (Math.exp(a) - n * moment(n - 1, a)) / a;
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("variance_type", "null", "learned", "learned_range");
        config.require("tau_func", "null");
        boolean ofData = config.choice("algorithm_type", "data_prediction", "noise_prediction").equals("data_prediction");
        if (!ofData) {
            config.require("prediction_type", "epsilon", "sample", "v_prediction");
        }
        var sampler = new SaSolver(order(config, "predictor_order"), order(config, "corrector_order"), ofData,
                config.flag("lower_order_final", true));
        return LambdaLayout.of(config, steps).sampling(sampler, config.thresholding());
    }

    private static int order(SchedulerConfig config, String key) {
        int order = config.integer(key, 2);
        if (order < 1 || order > 4) {
            throw config.error(key, Integer.toString(order), "1 to 4");
        }
        return order;
    }
}
