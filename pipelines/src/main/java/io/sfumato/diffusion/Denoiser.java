package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/** A network with the reading of its answers: samplers ask it for x0 and epsilon and do not know what it predicts. */
public record Denoiser(Network network, Prediction prediction, Clipping clipping) {

    /** The raw answer for {@code x} on the scale that the network was trained on. */
    public Tensor output(Tensor x, double timestep) {
        return network.forward(x, timestep);
    }

    /** The predicted picture, clipped. */
    public Tensor x0(Tensor x, Tensor output, NoiseLevel at) {
        return clipping.apply(prediction.x0(x, output, at));
    }

    /** The predicted noise, of the picture before clipping. */
    public Tensor epsilon(Tensor x, Tensor output, NoiseLevel at) {
        return prediction.epsilon(x, output, at);
    }

    /** The predicted picture for x = x0 + sigma epsilon, of a network that was trained on unit variance. */
    public Tensor x0(Tensor x, double sigma, double timestep) {
        NoiseLevel at = NoiseLevel.ofSigma(sigma);
        Tensor in = x.mul(at.alpha());
        return x0(in, output(in, timestep), at);
    }
}
