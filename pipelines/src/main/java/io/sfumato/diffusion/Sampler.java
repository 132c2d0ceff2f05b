package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/**
 * Turns noise into a picture: from {@code x} (B, ...), float32, at the grid's start, through a network call for each of its
 * timesteps, to x without noise. A pure function but for the noise it draws; the caller keeps what it returns.
 */
@FunctionalInterface
public interface Sampler {
    Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep);

    /** Calls that the grid has for each step but for the last: where a run begun in the middle begins. */
    default int callsPerStep() {
        return 1;
    }
}
