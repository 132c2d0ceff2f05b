package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * UniPC, a predictor of {@code order} and a corrector of one order more that both use the same calls (Zhao et al. 2023, algorithms 5 to
 * 8), over the predicted picture or, where not {@code ofData}, the predicted noise. {@code expm1} takes B(h) = e^h - 1 (bh2), else h
 * (bh1). The corrector leaves out the calls after the steps in {@code uncorrected}.
 */
record UniPc(int order, boolean ofData, boolean expm1, boolean lowerOrderFinal, Set<Integer> uncorrected) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            List<Tensor> predictions = new ArrayList<>();
            Tensor last = x;
            int lastOrder = 0;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    NoiseLevel at = grid.level(i);
                    Tensor out = denoiser.output(x, grid.timestep(i));
                    Tensor x0 = denoiser.x0(x, out, at);
                    Tensor prediction = scope.keep(ofData ? x0 : denoiser.epsilon(x, out, at));
                    if (lastOrder > 0 && !uncorrected.contains(i - 1)) {
                        x = corrected(last, prediction, predictions, grid, i, lastOrder);
                    }
                    last = scope.keep(x.clone());
                    predictions.add(prediction);
                    int falling = lowerOrderFinal ? Math.min(order, grid.calls() - i) : order;
                    lastOrder = Math.min(falling, predictions.size());
                    Tensor next = predicted(last, predictions, grid, i, lastOrder);
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    private Tensor predicted(Tensor x, List<Tensor> predictions, Grid grid, int i, int order) {
        Coefficients c = coefficients(grid, i, i + 1, order);
        double[] rho = order == 2 ? new double[] {0.5}
                : solve(rows(c.matrix, order - 1), Arrays.copyOf(c.right, order - 1));
        return step(x, predictions, c, rho);
    }

    /** The step to call {@code i} made again with what the network said there. */
    private Tensor corrected(Tensor last, Tensor prediction, List<Tensor> predictions, Grid grid, int i, int order) {
        Coefficients c = coefficients(grid, i - 1, i, order);
        double[] rho = order == 1 ? new double[] {0.5} : solve(c.matrix, c.right);
        Tensor m0 = predictions.get(predictions.size() - 1);
        return step(last, predictions, c, Arrays.copyOf(rho, order - 1)).sub(prediction.sub(m0).mul(c.scale * c.b * rho[order - 1]));
    }

    /** From call {@code s} with the predictions up to it, weighted by {@code rho} in their differences from the last one. */
    private static Tensor step(Tensor x, List<Tensor> predictions, Coefficients c, double[] rho) {
        int n = predictions.size();
        Tensor m0 = predictions.get(n - 1);
        Tensor next = x.mul(c.decay).sub(m0.mul(c.scale * c.phi1));
        for (int k = 0; k < rho.length; k++) {
            next = next.sub(predictions.get(n - 2 - k).sub(m0).mul(c.scale * c.b * rho[k] / c.r[k]));
        }
        return next;
    }

    /** The paper's R_p(h), and phi_p(h) over B(h) on the right. */
    private record Coefficients(double decay, double scale, double phi1, double b, double[] r, double[][] matrix, double[] right) {
    }

    private Coefficients coefficients(Grid grid, int s, int t, int order) {
        NoiseLevel from = grid.level(s);
        NoiseLevel to = grid.level(t);
        double h = to.lambda() - from.lambda();
        double hh = ofData ? -h : h;
        double phi1 = Math.expm1(hh);
        double b = expm1 ? phi1 : hh;
        double[] r = new double[order];
        for (int k = 1; k < order; k++) {
            r[k - 1] = (grid.level(s - k).lambda() - from.lambda()) / h;
        }
        r[order - 1] = 1;
        double[][] matrix = new double[order][order];
        double[] right = new double[order];
        double phi = phi1 / hh - 1;
        double factorial = 1;
        for (int k = 0; k < order; k++) {
            int power = k;
            Arrays.setAll(matrix[k], j -> Math.pow(r[j], power));
            right[k] = phi * factorial / b;
            factorial *= k + 2;
            phi = phi / hh - 1 / factorial;
        }
        return ofData ? new Coefficients(to.sigma() / from.sigma(), to.alpha(), phi1, b, r, matrix, right)
                : new Coefficients(to.alpha() / from.alpha(), to.sigma(), phi1, b, r, matrix, right);
    }

    private static double[][] rows(double[][] matrix, int n) {
        return Arrays.stream(matrix, 0, n).map(row -> Arrays.copyOf(row, n)).toArray(double[][]::new);
    }

    /** Gauss's elimination with pivots. */
    private static double[] solve(double[][] matrix, double[] right) {
        int n = right.length;
        double[][] a = rows(matrix, n);
        double[] x = right.clone();
        for (int k = 0; k < n; k++) {
            int pivot = k;
            for (int i = k + 1; i < n; i++) {
                pivot = Math.abs(a[i][k]) > Math.abs(a[pivot][k]) ? i : pivot;
            }
            double[] row = a[pivot];
            a[pivot] = a[k];
            a[k] = row;
            double value = x[pivot];
            x[pivot] = x[k];
            x[k] = value;
            for (int i = k + 1; i < n; i++) {
                double factor = a[i][k] / row[k];
                x[i] -= factor * value;
                for (int j = k; j < n; j++) {
                    a[i][j] -= factor * row[j];
                }
            }
        }
        for (int k = n - 1; k >= 0; k--) {
            for (int j = k + 1; j < n; j++) {
                x[k] -= a[k][j] * x[j];
            }
            x[k] /= a[k][k];
        }
        return x;
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("solver_p", "null");
        boolean ofData = config.flag("predict_x0", true);
        if (!ofData) {
            config.require("prediction_type", "epsilon", "sample", "v_prediction");
        }
        int order = config.integer("solver_order", 2);
        boolean lower = config.flag("lower_order_final", true);
        if (order < 1) {
            throw config.error("solver_order", Integer.toString(order), "1 and more");
        }
        boolean expm1 = !config.choice("solver_type", "bh2", "bh1", "midpoint", "heun", "logrho").equals("bh1");
        if (config.endsAtZero() && (!expm1 || !ofData || !lower && order > 1)) {
            throw config.error("final_sigmas_type", "zero", "sigma_min with solver_type bh1, predict_x0 false or lower_order_final false");
        }
        Set<Integer> uncorrected = Set.copyOf(Arrays.stream(config.numbers("disable_corrector")).mapToObj(d -> (int) d).toList());
        return LambdaLayout.of(config, steps).sampling(new UniPc(order, ofData, expm1, lower, uncorrected),
                config.thresholding());
    }
}
