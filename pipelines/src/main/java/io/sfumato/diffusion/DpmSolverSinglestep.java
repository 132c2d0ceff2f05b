package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * DPM-Solver and DPM-Solver++ in blocks of up to three calls, each of which starts anew from the block's beginning with one order more
 * (Lu et al. 2022, arXiv:2206.00927, algorithms 1 and 2). {@code orders} has that of each call.
 */
record DpmSolverSinglestep(DpmAlgorithm algorithm, List<Integer> orders, boolean heun) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            List<Tensor> predictions = new ArrayList<>();
            Tensor from = x;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    NoiseLevel at = grid.level(i);
                    Tensor out = denoiser.mean(x, grid.timestep(i));
                    Tensor prediction = scope.keep(algorithm.prediction(denoiser, x, out, at));
                    predictions.add(prediction);
                    int order = Math.min(orders.get(i), predictions.size());
                    from = order == 1 ? x : from;
                    Tensor next = update(from, predictions, grid, i, order, noise);
                    Tensor x0 = algorithm.ofData() ? prediction : denoiser.x0(x, out, at);
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    private Tensor update(Tensor from, List<Tensor> predictions, Grid grid, int i, int order, Noise noise) {
        NoiseLevel t = grid.level(i + 1);
        NoiseLevel s = grid.level(i - order + 1);
        int n = predictions.size();
        Tensor m = predictions.get(n - order);
        if (order == 1) {
            return algorithm.first(from, s, t, m, noise);
        }
        double h = t.lambda() - s.lambda();
        double r0 = (grid.level(i).lambda() - s.lambda()) / h;
        Tensor d0 = predictions.get(n - 1).sub(m).div(r0);
        if (order == 2) {
            return algorithm.second(from, s, t, m, d0, heun, noise);
        }
        if (!heun) {
            return algorithm.second(from, s, t, m, d0, true, noise);
        }
        double r1 = (grid.level(i - 1).lambda() - s.lambda()) / h;
        Tensor d1 = predictions.get(n - 2).sub(m).div(r1);
        Tensor slope = d1.mul(r0).sub(d0.mul(r1)).div(r0 - r1);
        return algorithm.third(from, s, t, m, slope, d0.sub(d1).mul(2 / (r0 - r1)), noise);
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("variance_type", "null", "learned", "learned_range");
        DpmAlgorithm algorithm = DpmSolverMultistep.algorithm(config, "dpmsolver++", "dpmsolver", "sde-dpmsolver++", "deis");
        int order = DpmSolverMultistep.order(config, 3);
        LambdaLayout layout = LambdaLayout.of(config, steps);
        int calls = layout.timesteps().length;
        boolean lower = config.flag("lower_order_final", false) || calls % order != 0 || config.endsAtZero();
        List<Integer> orders = orders(calls, order, lower);
        if (config.endsAtZero()) {
            orders.set(orders.size() - 1, 1);
        }
        var sampler = new DpmSolverSinglestep(algorithm, List.copyOf(orders), DpmSolverMultistep.heun(config));
        return layout.sampling(sampler, config.thresholding());
    }

    /** 1, 2, ..., {@code order} over and over; with {@code lower} the last call is of a lower order. */
    private static List<Integer> orders(int steps, int order, boolean lower) {
        List<Integer> orders = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            orders.add(i % order + 1);
        }
        if (lower && steps % order == 0) {
            orders.set(steps - 1, 1);
        }
        return orders;
    }
}
