package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/** How much is left of a picture and how much noise there is: x = alpha x0 + sigma epsilon. */
public record NoiseLevel(double alpha, double sigma) {

    /** The variance-preserving level of a cumulative product of alphas, as DDPM counts. */
    public static NoiseLevel ofAlphaCumprod(double alphaCumprod) {
        return new NoiseLevel(Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod));
    }

    /** The variance-preserving level with the noise-to-signal ratio {@code sigma}, as Karras et al. 2022 count. */
    public static NoiseLevel ofSigma(double sigma) {
        double alpha = 1 / Math.sqrt(sigma * sigma + 1);
        return new NoiseLevel(alpha, sigma * alpha);
    }

    /** {@code x0} seen through {@code noise} of the same shape. */
    public Tensor addNoise(Tensor x0, Tensor noise) {
        return x0.mul(alpha).add(noise.mul(sigma));
    }

    /** Half the logarithm of the signal-to-noise ratio: infinite without noise. */
    public double lambda() {
        return Math.log(alpha) - Math.log(sigma);
    }
}
