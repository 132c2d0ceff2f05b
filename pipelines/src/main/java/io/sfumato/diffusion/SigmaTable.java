package io.sfumato.diffusion;

/** The sigmas of the training timesteps as k-diffusion reads between them: by their logarithm, whole timesteps or not. */
final class SigmaTable {
    private final float[] sigmas;

    SigmaTable(double[] alphasCumprod) {
        sigmas = Sigmas.ofAlphasCumprod(alphasCumprod);
    }

    int size() {
        return sigmas.length;
    }

    double min() {
        return sigmas[0];
    }

    double max() {
        return sigmas[sigmas.length - 1];
    }

    double timestep(double sigma) {
        return timesteps(sigma)[0];
    }

    double[] timesteps(double... wanted) {
        return Sigmas.timesteps(wanted, sigmas);
    }

    double sigma(double timestep) {
        int low = (int) timestep;
        int high = (int) Math.ceil(timestep);
        double w = timestep - low;
        return Math.exp((1 - w) * Math.log(sigmas[low]) + w * Math.log(sigmas[high]));
    }
}
