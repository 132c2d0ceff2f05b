package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/**
 * DDIM whose steps go on along the unconditional noise (CFG++, Chung et al. 2024, algorithm 2), with A1111's scale: a guidance of 12.5 is
 * lambda 1. The unconditional direction is that of a guidance of its own for each step, so this is DDIM with those:
 * a' (x - s e_lambda) / a + d e_u = a' (x - s e_w) / a + d e_w for w = lambda a' s / (a' s - a d).
 */
record DdimCfgPlusPlus(double eta) implements Sampler {
    /** No key of the reference's: only the sampler chosen by name sets it. */
    static final String KEY = "cfg_plus_plus";

    private static final double OF_ONE = 12.5;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        Network guided = denoiser.network().guidedBy((guidance, t) -> guidance / OF_ONE * factor(grid, t));
        var each = new Denoiser(guided, denoiser.prediction(), denoiser.clipping(), denoiser.sigmaData());
        return new Ddim(eta, false).sample(each, x, grid, noise, onStep);
    }

    private double factor(Grid grid, double t) {
        double alphaBar = grid.alphaCumprod(t), alphaBarNext = grid.alphaCumprod(t - grid.stride());
        double kept = Math.sqrt(alphaBarNext * (1 - alphaBar));
        return kept / (kept - Math.sqrt(alphaBar) * Ddim.direction(eta, alphaBar, alphaBarNext));
    }
}
