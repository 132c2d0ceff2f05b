package io.sfumato.diffusion;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * DPM-Solver++ (Lu et al. 2022, arXiv:2211.01095, algorithm 2 and appendix): integrates the predicted x0 over
 * lambda = log(alpha / sigma) with the answers of the last {@code order} calls. {@code heun} takes the other of the two second-order
 * formulas; the order falls at the end of short runs with {@code lowerOrderFinal}, and at the last step with {@code eulerAtFinal}.
 */
record DpmSolverMultistep(int order, boolean heun, boolean lowerOrderFinal, boolean eulerAtFinal) implements Sampler {
    // The reference lowers the order only in runs shorter than this.
    private static final int SHORT = 15;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            List<Tensor> x0s = new ArrayList<>();
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    NoiseLevel at = NoiseLevel.ofSigma(grid.sigma(i));
                    Tensor x0 = scope.keep(denoiser.x0(x, denoiser.output(x, grid.timestep(i)), at));
                    x0s.add(x0);
                    x = update(x, x0s, grid, i, Math.min(order(grid, i), x0s.size()));
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    private int order(Grid grid, int i) {
        boolean lower = lowerOrderFinal && grid.calls() < SHORT;
        if (i == grid.calls() - 1 && (eulerAtFinal || lower || grid.sigma(i + 1) == 0)) {
            return 1;
        }
        return i == grid.calls() - 2 && lower ? Math.min(order, 2) : order;
    }

    private Tensor update(Tensor x, List<Tensor> x0s, Grid grid, int i, int order) {
        NoiseLevel t = NoiseLevel.ofSigma(grid.sigma(i + 1));
        NoiseLevel s0 = NoiseLevel.ofSigma(grid.sigma(i));
        double h = t.lambda() - s0.lambda();
        double phi1 = Math.expm1(-h);
        int n = x0s.size();
        Tensor m0 = x0s.get(n - 1);
        Tensor first = x.mul(t.sigma() / s0.sigma()).sub(m0.mul(t.alpha() * phi1));
        if (order == 1) {
            return first;
        }
        NoiseLevel s1 = NoiseLevel.ofSigma(grid.sigma(i - 1));
        double r0 = (s0.lambda() - s1.lambda()) / h;
        Tensor d10 = m0.sub(x0s.get(n - 2)).div(r0);
        double phi2 = phi1 / h + 1;
        if (order == 2) {
            return first.add(d10.mul(t.alpha() * (heun ? phi2 : -0.5 * phi1)));
        }
        double r1 = (s1.lambda() - NoiseLevel.ofSigma(grid.sigma(i - 2)).lambda()) / h;
        Tensor d11 = x0s.get(n - 2).sub(x0s.get(n - 3)).div(r1);
        Tensor d2 = d10.sub(d11).div(r0 + r1);
        Tensor d1 = d10.add(d2.mul(r0));
        double phi3 = (phi1 + h) / (h * h) - 0.5;
        return first.add(d1.mul(t.alpha() * phi2)).sub(d2.mul(t.alpha() * phi3));
    }

    static Sampling plan(SchedulerConfig config, Steps wanted, StepOptions options) {
        config.require("algorithm_type", "dpmsolver++", "deis");
        config.require("variance_type", "null");
        config.require("use_flow_sigmas", "false");
        config.require("use_dynamic_shifting", "false");
        int steps = wanted.count();
        double[] alphas = config.alphasCumprod();
        float[] table = Sigmas.ofAlphasCumprod(alphas);
        double[] timesteps = timesteps(config, steps, lastTimestep(alphas, config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY)));
        double[] sigmas = Sigmas.interpolate(timesteps, table);
        SigmaSchedule schedule = config.sigmaSchedule(wanted);
        if (schedule != SigmaSchedule.NORMAL) {
            sigmas = schedule.sigmas(table[table.length - 1], table[0], steps);
            timesteps = whole(Sigmas.timesteps(sigmas, table), config, schedule);
        }
        sigmas = Sigmas.closed(sigmas, config.endsAtZero() ? 0 : table[0]);
        String solver = config.choice("solver_type", "midpoint", "heun", "logrho", "bh1", "bh2");
        var sampler = new DpmSolverMultistep(order(config), solver.equals("heun"), config.flag("lower_order_final", true),
                config.flag("euler_at_final", false));
        Clipping clipping = config.flag("thresholding", false) ? config.dynamicThreshold() : Clipping.none();
        Grid grid = Grid.ofSigmas(timesteps, sigmas, NoiseScale.VARIANCE_PRESERVING);
        return new Sampling(sampler, grid, config.prediction(), clipping, 1);
    }

    private static int order(SchedulerConfig config) {
        int order = config.integer("solver_order", 2);
        if (order < 1 || order > 3) {
            throw config.error("solver_order", Integer.toString(order), "1, 2, 3");
        }
        return order;
    }

    /** How many training timesteps have a lambda of {@code min} or more: the rest is too noisy to start from. */
    private static int lastTimestep(double[] alphas, double min) {
        try (var scope = new Scope()) {
            Tensor a = Tensor.of(alphas, alphas.length).to(DType.F32);
            double[] lambdas = a.sqrt().log().sub(a.neg().add(1).sqrt().log()).toDoubles();
            int last = lambdas.length;
            while (last > 1 && lambdas[last - 1] < min) {
                last--;
            }
            return last;
        }
    }

    /** One step more than is asked for is laid out, and its end at timestep 0 left away; trailing has none there. */
    private static double[] timesteps(SchedulerConfig config, int steps, int last) {
        int offset = config.integer("steps_offset", 0);
        double[] ts = switch (config.spacing(Spacing.LINSPACE)) {
            case LINSPACE -> Arrays.copyOf(Spacing.linspace(last - 1, steps + 1), steps);
            case LEADING -> Arrays.copyOf(Spacing.leading(last / (steps + 1), steps + 1, offset), steps);
            case TRAILING -> Spacing.trailing(last, (double) config.trainTimesteps() / steps);
        };
        return Arrays.stream(ts).map(Math::rint).toArray();
    }

    /** Networks get whole timesteps: cut, but rounded first for two schedules of the linear kinds of betas, as in the reference. */
    private static double[] whole(double[] timesteps, SchedulerConfig config, SigmaSchedule schedule) {
        boolean round = (schedule == SigmaSchedule.KARRAS || schedule == SigmaSchedule.LU)
                && !config.text("beta_schedule", "linear").equals("squaredcos_cap_v2");
        return Arrays.stream(timesteps).map(t -> round ? Math.rint(t) : Math.floor(t)).toArray();
    }
}
