package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/** A sampler that draws once a step, with the noise of each taken from a Brownian motion between its sigmas. */
record OverSigma(Sampler sampler) implements Sampler {

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        double[] sigmas = grid.sigmas();
        Brownian brownian = noise.brownian(x, Sigmas.leastAboveZero(sigmas), sigmas[0]);
        int[] step = {grid.start()};
        return sampler.sample(denoiser, x, grid, like -> {
            int i = step[0]++;
            return brownian.next(sigmas[i], sigmas[i + 1]);
        }, onStep);
    }
}
