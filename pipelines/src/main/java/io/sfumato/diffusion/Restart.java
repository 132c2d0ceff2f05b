package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Restart sampling (Xu et al. 2023, algorithm 1) as A1111's web UI lays it out: Heun steps that, near the end, go back up to a sigma of
 * 2 under fresh noise and down again. Where the grid's next sigma is above the one that a step goes down to, it goes up there.
 */
record Restart(SigmaTable table) implements Sampler {
    private static final double LOW = 0.1;
    private static final double HIGH = 2;
    // Shorter runs are not restarted, longer ones twice.
    private static final int ONCE = 20;
    private static final int TWICE = 36;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i += 2) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    double next = grid.sigma(i + 1);
                    Tensor x0 = denoiser.x0(x, sigma, grid.timestep(i));
                    Tensor slope = x.sub(x0).div(sigma);
                    Tensor there = x.add(slope.mul(next - sigma));
                    if (next > 0) {
                        Tensor back = there.sub(denoiser.x0(there, next, grid.timestep(i + 1))).div(next);
                        there = x.add(slope.add(back).mul((next - sigma) / 2));
                    }
                    double start = i + 2 < grid.calls() ? grid.sigma(i + 2) : next;
                    if (start > next) {
                        there = there.add(noise.next(x).mul(Math.sqrt(start * start - next * next)));
                    }
                    x = scope.keep(onStep.onStep(grid.step(i, there, x0)));
                }
            }
            return all.keep(x);
        }
    }

    @Override
    public int callsPerStep() {
        return 2;
    }

    /** From {@code plain} steps: the beginning and end of each, so that its sigmas come in pairs. */
    static SigmaLayout layout(SigmaLayout plain, SigmaTable table) {
        plain.requireEndAtZero();
        int steps = plain.timesteps().length;
        double[] sigmas = plain.sigmas();
        List<double[]> pairs = new ArrayList<>();
        if (steps < ONCE) {
            pairs(sigmas, pairs);
        } else {
            int length = steps >= TWICE ? steps / 4 : 9;
            int times = steps >= TWICE ? 2 : 1;
            double[] fewer = Sigmas.closed(SigmaSchedule.KARRAS.sigmas(sigmas[0], sigmas[steps - 1], steps - length * times), 0);
            int low = nearest(fewer, LOW);
            int high = nearest(fewer, HIGH);
            pairs(Arrays.copyOf(fewer, low + 1), pairs);
            for (int k = 0; k < times && high < low; k++) {
                pairs(Sigmas.floats(SigmaSchedule.KARRAS.sigmas(fewer[high], fewer[low], length + 1)), pairs);
            }
            pairs(Arrays.copyOfRange(fewer, low, fewer.length), pairs);
        }
        double[] ends = pairs.stream().flatMapToDouble(Arrays::stream).toArray();
        // The last step goes to 0 in one call.
        double[] calls = Arrays.copyOf(ends, ends.length - 1);
        return new SigmaLayout(plain.config(), Sigmas.floats(table.timesteps(calls)), ends);
    }

    private static void pairs(double[] sigmas, List<double[]> pairs) {
        for (int i = 1; i < sigmas.length; i++) {
            pairs.add(new double[] {sigmas[i - 1], sigmas[i]});
        }
    }

    private static int nearest(double[] sigmas, double wanted) {
        int nearest = 0;
        for (int i = 1; i < sigmas.length; i++) {
            nearest = Math.abs(sigmas[i] - wanted) < Math.abs(sigmas[nearest] - wanted) ? i : nearest;
        }
        return nearest;
    }
}
