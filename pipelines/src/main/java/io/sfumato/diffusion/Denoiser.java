package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/**
 * A network with the reading of its answers: samplers ask it for x0 and epsilon and do not know what it predicts. {@code sigmaData} is
 * the standard deviation of the pictures that it was trained to see as 1.
 */
public record Denoiser(Network network, Prediction prediction, Clipping clipping, double sigmaData) {

    /** The raw answer for {@code x} on the scale that the network was trained on. */
    public Tensor output(Tensor x, double timestep) {
        return network.forward(x, timestep);
    }

    /** The raw answer without the variance that some networks have learned and give in as many channels more. */
    public Tensor mean(Tensor x, double timestep) {
        Tensor out = output(x, timestep);
        return out.size(1) == 2 * x.size(1) ? out.narrow(1, 0, x.size(1)) : out;
    }

    /** The predicted picture, clipped. */
    public Tensor x0(Tensor x, Tensor output, NoiseLevel at) {
        return clipping.apply(prediction.x0(x, output, at));
    }

    /** The predicted noise, of the picture before clipping. */
    public Tensor epsilon(Tensor x, Tensor output, NoiseLevel at) {
        return prediction.epsilon(x, output, at);
    }

    /** The noise that the clipped picture leaves. */
    public Tensor clippedEpsilon(Tensor x, Tensor output, NoiseLevel at) {
        return clipping.clips() ? Prediction.SAMPLE.epsilon(x, x0(x, output, at), at) : epsilon(x, output, at);
    }

    /** The predicted picture for x = x0 + sigma epsilon, of a network that was trained on unit variance. */
    public Tensor x0(Tensor x, double sigma, double timestep) {
        return x0(x, output(scaled(x, sigma), timestep), sigma);
    }

    /** What the network is given of x = x0 + sigma epsilon. */
    Tensor scaled(Tensor x, double sigma) {
        return x.mul(NoiseLevel.ofSigma(sigma / sigmaData).alpha() / sigmaData);
    }

    /** The predicted picture for x = x0 + sigma epsilon and the raw answer to it. */
    Tensor x0(Tensor x, Tensor output, double sigma) {
        Tensor x0 = prediction.x0(scaled(x, sigma), output, NoiseLevel.ofSigma(sigma / sigmaData));
        return clipping.apply(sigmaData == 1 ? x0 : x0.mul(sigmaData));
    }
}
