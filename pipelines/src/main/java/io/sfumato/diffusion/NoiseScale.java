package io.sfumato.diffusion;

/** How much is left of a picture under noise of a given sigma. */
public enum NoiseScale {
    /** Picture and noise keep unit variance: sigma is the ratio of noise to picture. */
    VARIANCE_PRESERVING {
        @Override
        NoiseLevel level(double sigma) {
            return NoiseLevel.ofSigma(sigma);
        }
    },
    /** The whole picture: x = x0 + sigma epsilon (Karras et al. 2022). */
    VARIANCE_EXPLODING {
        @Override
        NoiseLevel level(double sigma) {
            return new NoiseLevel(1, sigma);
        }
    },
    /** A straight line from the picture to the noise: x = (1 - sigma) x0 + sigma epsilon (Liu et al. 2022, rectified flow). */
    FLOW {
        @Override
        NoiseLevel level(double sigma) {
            return new NoiseLevel(1 - sigma, sigma);
        }
    },
    /** Unit variance, and sigma is the deviation of the noise itself. */
    UNIT_CIRCLE {
        @Override
        NoiseLevel level(double sigma) {
            return new NoiseLevel(Math.sqrt(1 - sigma * sigma), sigma);
        }
    };

    abstract NoiseLevel level(double sigma);
}
