package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/** What a sampler calls: noisy x (B, ...), scaled to the variance the network was trained on, and its timestep, to the raw answer. */
@FunctionalInterface
public interface Network {
    Tensor forward(Tensor x, double timestep);
}
