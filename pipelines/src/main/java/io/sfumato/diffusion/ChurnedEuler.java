package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** Euler steps with the churn where Karras et al. 2022 have it (algorithm 2): before the network sees x. */
record ChurnedEuler(Churn churn, SigmaTable table) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    double hat = sigma * (churn.gamma(sigma, grid.calls()) + 1);
                    if (churn.amount() > 0) {
                        // Drawn whether this step takes it or not.
                        x = x.add(noise.next(x).mul(churn.noise() * Math.sqrt(hat * hat - sigma * sigma)));
                    }
                    Tensor x0 = denoiser.x0(x, hat, hat == sigma ? grid.timestep(i) : table.timestep(hat));
                    Tensor next = x.add(x.sub(x0).mul((grid.sigma(i + 1) - hat) / hat));
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }
}
