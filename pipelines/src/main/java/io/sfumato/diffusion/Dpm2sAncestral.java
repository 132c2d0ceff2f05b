package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** DPM-Solver++(2S) steps that go down too far and add fresh noise back (k-diffusion's sample_dpmpp_2s_ancestral): two calls each. */
record Dpm2sAncestral(SigmaTable table) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    double up = EulerAncestral.sigmaUp(sigma, grid.sigma(i + 1));
                    double down = Math.sqrt(grid.sigma(i + 1) * grid.sigma(i + 1) - up * up);
                    Tensor x0 = denoiser.x0(x, sigma, grid.timestep(i));
                    Tensor next = x0;
                    if (down > 0) {
                        double middle = Math.sqrt(sigma * down);
                        Tensor there = towards(x, x0, middle / sigma);
                        next = towards(x, denoiser.x0(there, middle, table.timestep(middle)), down / sigma);
                    }
                    next = grid.sigma(i + 1) > 0 ? next.add(noise.next(x).mul(up)) : next;
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    /** As much of the noise in {@code x} left as {@code ratio} says. */
    private static Tensor towards(Tensor x, Tensor x0, double ratio) {
        return x.mul(ratio).add(x0.mul(1 - ratio));
    }
}
