package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * DPM-Solver and DPM-Solver++ from the answers of the last {@code order} calls (Lu et al. 2022, arXiv:2211.01095, algorithm 2 and
 * appendix). {@code heun} takes the other of the two second-order formulas; the order falls at the end of short runs with
 * {@code lowerOrderFinal}, and at the last step with {@code eulerAtFinal}.
 */
record DpmSolverMultistep(DpmAlgorithm algorithm, int order, boolean heun, boolean lowerOrderFinal, boolean eulerAtFinal)
        implements Sampler {
    // The reference lowers the order only in runs shorter than this.
    private static final int SHORT = 15;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            List<Tensor> predictions = new ArrayList<>();
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    NoiseLevel at = grid.level(i);
                    boolean exploding = grid.scale() == NoiseScale.VARIANCE_EXPLODING;
                    Tensor out = denoiser.mean(exploding ? denoiser.scaled(x, at.sigma()) : x, grid.timestep(i));
                    Tensor prediction = scope.keep(exploding ? denoiser.x0(x, out, at.sigma())
                            : algorithm.prediction(denoiser, x, out, at));
                    predictions.add(prediction);
                    int falling = falling(order, grid, i, eulerAtFinal, lowerOrderFinal);
                    Tensor next = update(x, predictions, grid, i, Math.min(falling, predictions.size()), noise);
                    Tensor x0 = algorithm.ofData() ? prediction : denoiser.x0(x, out, at);
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    /** The order of step {@code i}, which falls towards the end. */
    static int falling(int order, Grid grid, int i, boolean eulerAtFinal, boolean lowerOrderFinal) {
        boolean lower = lowerOrderFinal && grid.calls() < SHORT;
        if (i == grid.calls() - 1 && (eulerAtFinal || lower || grid.sigma(i + 1) == 0)) {
            return 1;
        }
        return i == grid.calls() - 2 && lower ? Math.min(order, 2) : order;
    }

    private Tensor update(Tensor x, List<Tensor> predictions, Grid grid, int i, int order, Noise noise) {
        NoiseLevel t = grid.level(i + 1);
        NoiseLevel s0 = grid.level(i);
        int n = predictions.size();
        Tensor m0 = predictions.get(n - 1);
        double h = t.lambda() - s0.lambda();
        // The last sigma may be there twice, and differences over no step are none.
        if (order == 1 || h == 0) {
            return algorithm.first(x, s0, t, m0, noise);
        }
        NoiseLevel s1 = grid.level(i - 1);
        double r0 = (s0.lambda() - s1.lambda()) / h;
        Tensor d10 = m0.sub(predictions.get(n - 2)).div(r0);
        if (order == 2) {
            return algorithm.second(x, s0, t, m0, d10, heun, noise);
        }
        double r1 = (s1.lambda() - grid.level(i - 2).lambda()) / h;
        Tensor d11 = predictions.get(n - 2).sub(predictions.get(n - 3)).div(r1);
        Tensor d2 = d10.sub(d11).div(r0 + r1);
        return algorithm.third(x, s0, t, m0, d10.add(d2.mul(r0)), d2, noise);
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("variance_type", "null", "learned", "learned_range");
        DpmAlgorithm algorithm = algorithm(config, "dpmsolver++", "dpmsolver", "sde-dpmsolver", "sde-dpmsolver++", "deis");
        int order = order(config, 3);
        if (order == 3 && algorithm == DpmAlgorithm.SDE_DPMSOLVER) {
            throw config.error("solver_order", "3", "1, 2 with algorithm_type sde-dpmsolver");
        }
        var sampler = new DpmSolverMultistep(algorithm, order, heun(config), config.flag("lower_order_final", true),
                config.flag("euler_at_final", false));
        return LambdaLayout.of(config, steps).sampling(sampler, config.thresholding());
    }

    static DpmAlgorithm algorithm(SchedulerConfig config, String... choices) {
        DpmAlgorithm algorithm = DpmAlgorithm.named(config.choice("algorithm_type", choices));
        if (!algorithm.ofData()) {
            if (config.endsAtZero()) {
                throw config.error("final_sigmas_type", "zero", "sigma_min with an algorithm_type that integrates the noise");
            }
            config.require("prediction_type", "epsilon", "sample", "v_prediction");
        }
        return algorithm;
    }

    static int order(SchedulerConfig config, int most) {
        int order = config.integer("solver_order", 2);
        if (order < 1 || order > most) {
            throw config.error("solver_order", Integer.toString(order), "1 to " + most);
        }
        return order;
    }

    static boolean heun(SchedulerConfig config) {
        return config.choice("solver_type", "midpoint", "heun", "logrho", "bh1", "bh2").equals("heun");
    }
}
