package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/**
 * Where a sampler calls the network: {@code timesteps} has every call in order; {@code sigmas} (noise-to-signal ratios, at least one
 * more than the calls) are for the samplers in the manner of Karras et al. 2022, and empty for the others, which look up
 * {@code alphasCumprod} of the training timesteps and go {@code stride} of those at a time, to {@code finalAlphaCumprod} beyond the
 * first one. {@code scale} says what sigmas mean. Sampling begins at call {@code start}, above 0 where it starts from a picture.
 */
public record Grid(double[] timesteps, double[] sigmas, NoiseScale scale, double[] alphasCumprod, double finalAlphaCumprod, int stride,
        int start) {

    public Grid {
        timesteps = timesteps.clone();
        sigmas = sigmas.clone();
        alphasCumprod = alphasCumprod.clone();
        if (start < 0 || start >= timesteps.length) {
            throw new IllegalArgumentException("start " + start + " is not one of the " + timesteps.length + " network calls");
        }
        if (sigmas.length == 0 && timesteps[0] >= alphasCumprod.length) {
            throw new IllegalArgumentException("with this many steps the scheduler's spacing and steps_offset reach timestep "
                    + (long) timesteps[0] + ", but the training had " + alphasCumprod.length + ": take fewer steps");
        }
        if (sigmas.length > 0 && sigmas.length <= timesteps.length) {
            throw new IllegalArgumentException(sigmas.length + " sigmas for " + timesteps.length + " network calls: one more is wanted");
        }
    }

    static Grid ofSigmas(double[] timesteps, double[] sigmas, NoiseScale scale) {
        return new Grid(timesteps, sigmas, scale, new double[0], 1, 1, 0);
    }

    static Grid ofAlphas(double[] timesteps, double[] alphasCumprod, double finalAlphaCumprod, int stride) {
        return new Grid(timesteps, new double[0], NoiseScale.VARIANCE_PRESERVING, alphasCumprod, finalAlphaCumprod, stride, 0);
    }

    @Override
    public double[] timesteps() {
        return timesteps.clone();
    }

    @Override
    public double[] sigmas() {
        return sigmas.clone();
    }

    @Override
    public double[] alphasCumprod() {
        return alphasCumprod.clone();
    }

    /** Network calls of the whole grid, with those before the start. */
    public int calls() {
        return timesteps.length;
    }

    public double timestep(int call) {
        return timesteps[call];
    }

    public double sigma(int call) {
        return sigmas[call];
    }

    /** How noisy x is before {@code call}. */
    public NoiseLevel level(int call) {
        return sigmas.length > 0 ? scale.level(sigmas[call]) : NoiseLevel.ofAlphaCumprod(alphaCumprod(timesteps[call]));
    }

    /** The cumulative product of alphas at a training timestep; before the first one, the final value. */
    public double alphaCumprod(double timestep) {
        return timestep < 0 ? finalAlphaCumprod : alphasCumprod[(int) timestep];
    }

    /** What a listener hears after {@code call}. */
    Step step(int call, Tensor x, Tensor x0) {
        return new Step(call - start, timesteps.length - start, timesteps[call], x, x0);
    }

    /** The same grid, begun at another call. */
    public Grid from(int call) {
        return new Grid(timesteps, sigmas, scale, alphasCumprod, finalAlphaCumprod, stride, call);
    }

    @Override
    public String toString() {
        return "Grid from " + start + " of " + Arrays.toString(timesteps);
    }
}
