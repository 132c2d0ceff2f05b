package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Pseudo numerical methods for diffusion models (Liu et al. 2022, algorithm 2): {@code prkCalls} calls of pseudo Runge-Kutta, four a
 * step, then the linear multistep method. With no Runge-Kutta calls (PLMS) the second call repeats the second step's timestep to
 * refine the first step. Averages are of the network's raw answers.
 */
record Pndm(int prkCalls) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            List<Tensor> outs = new ArrayList<>();
            Tensor from = x;
            Tensor sum = x;
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    int call = i - grid.start();
                    double t = grid.timestep(i);
                    Tensor out = scope.keep(denoiser.output(x, t));
                    Tensor x0 = denoiser.x0(x, out, grid.level(i));
                    if (call < prkCalls) {
                        int stage = call % 4;
                        if (stage == 0) {
                            outs.add(out);
                            from = x;
                        }
                        Tensor weighted = out.mul(stage == 0 || stage == 3 ? 1 / 6.0 : 1 / 3.0);
                        sum = scope.keep(stage == 0 ? weighted : sum.add(weighted));
                        double next = stage % 2 == 1 ? t : t - grid.stride() / 2;
                        x = transfer(denoiser, from, stage == 3 ? sum : out, grid, grid.timestep(call - stage), next);
                    } else if (call == 1) {
                        Tensor mean = out.add(outs.get(0)).div(2);
                        x = transfer(denoiser, from, mean, grid, t + grid.stride(), t);
                    } else {
                        outs.add(out);
                        x = transfer(denoiser, x, multistep(outs), grid, t, t - grid.stride());
                    }
                    x = scope.keep(onStep.onStep(grid.step(i, x, x0)));
                }
            }
            return all.keep(x);
        }
    }

    /** The Adams-Bashforth mean of the last answers, of as high an order, up to 4, as there are. */
    static Tensor multistep(List<Tensor> outs) {
        int n = outs.size();
        double[] weights = switch (n) {
            case 1 -> new double[] {1};
            case 2 -> new double[] {3 / 2.0, -1 / 2.0};
            case 3 -> new double[] {23 / 12.0, -16 / 12.0, 5 / 12.0};
            default -> new double[] {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0};
        };
        Tensor mean = outs.get(n - 1).mul(weights[0]);
        for (int k = 1; k < weights.length; k++) {
            mean = mean.add(outs.get(n - 1 - k).mul(weights[k]));
        }
        return mean;
    }

    /** Formula 11 of the paper: x taken from timestep {@code t} to {@code next} along one answer. */
    private static Tensor transfer(Denoiser denoiser, Tensor x, Tensor out, Grid grid, double t, double next) {
        double a = grid.alphaCumprod(t);
        double b = grid.alphaCumprod(next);
        Tensor epsilon = denoiser.epsilon(x, out, NoiseLevel.ofAlphaCumprod(a));
        double divisor = a * Math.sqrt(1 - b) + Math.sqrt(a * (1 - a) * b);
        return x.mul(Math.sqrt(b / a)).sub(epsilon.mul((b - a) / divisor));
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        double[] alphas = config.alphasCumprod();
        double[] ts = config.timesteps(Spacing.LEADING, steps);
        boolean plms = config.flag("skip_prk_steps", false);
        int stride = config.trainTimesteps() / steps.count();
        double last = config.flag("set_alpha_to_one", false) ? 1 : alphas[0];
        config.require("prediction_type", "epsilon", "v_prediction");
        if (!plms && steps.count() < 4) {
            throw new IllegalArgumentException(steps.count() + " steps: PNDMScheduler with its Runge-Kutta start takes 4 or more");
        }
        double[] timesteps = plms ? plmsCalls(ts) : prkCalls(ts, stride / 2);
        Grid grid = Grid.ofAlphas(timesteps, alphas, last, stride);
        return new Sampling(new Pndm(plms ? 0 : 12), grid, config.prediction(), Clipping.none(), 1);
    }

    /** The second timestep twice: the first step is made again with the mean of its two ends. */
    private static double[] plmsCalls(double[] ts) {
        if (ts.length == 1) {
            return ts;
        }
        double[] calls = new double[ts.length + 1];
        System.arraycopy(ts, 0, calls, 0, 2);
        System.arraycopy(ts, 1, calls, 2, ts.length - 1);
        return calls;
    }

    /** Three Runge-Kutta steps of four calls (start, middle, middle, end), then the timesteps from the fourth on. */
    private static double[] prkCalls(double[] ts, int half) {
        double[] calls = new double[12 + ts.length - 3];
        for (int k = 0; k < 3; k++) {
            calls[4 * k] = ts[k];
            calls[4 * k + 1] = ts[k + 1] + half;
            calls[4 * k + 2] = ts[k + 1] + half;
            calls[4 * k + 3] = ts[k + 1];
        }
        System.arraycopy(ts, 3, calls, 12, ts.length - 3);
        return calls;
    }
}
