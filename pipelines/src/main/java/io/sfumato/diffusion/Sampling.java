package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/**
 * A sampler laid out for a number of steps: what {@link #sample} needs but the network and the noise. {@code initNoiseSigma} is what
 * standard normal noise is multiplied by to start from, {@code sigmaData} the standard deviation of the pictures that the network saw
 * as 1.
 */
public record Sampling(Sampler sampler, Grid grid, Prediction prediction, Clipping clipping, double initNoiseSigma, double sigmaData) {

    Sampling(Sampler sampler, Grid grid, Prediction prediction, Clipping clipping, double initNoiseSigma) {
        this(sampler, grid, prediction, clipping, initNoiseSigma, 1);
    }

    /** {@code steps} steps of the configured scheduler; {@code eta} in [0, 1] must be 0 for samplers that do not know it. */
    public static Sampling of(SchedulerConfig config, int steps, double eta) {
        return of(config, Steps.of(steps), StepOptions.defaults().withEta(eta));
    }

    public static Sampling of(SchedulerConfig config, Steps steps, StepOptions options) {
        requireWithin(steps, config.trainTimesteps());
        return config.schedulerClass().plan(config, steps, options);
    }

    static void requireWithin(Steps steps, int train) {
        if (steps.count() > train) {
            throw new IllegalArgumentException(steps.count() + " steps: between 1 and the " + train + " of the training are wanted");
        }
    }

    /** The step that image-to-image of {@code strength} in [0, 1] starts at, when {@code steps} are asked for. */
    public static int skipped(int steps, double strength) {
        return steps - Math.min((int) (steps * strength), steps);
    }

    /** The same, begun at {@code step}: its first network call. */
    public Sampling from(int step) {
        return new Sampling(sampler, grid.from(step * sampler.callsPerStep()), prediction, clipping, initNoiseSigma, sigmaData);
    }

    /** {@code x0} under {@code noise}, as noisy as x is where sampling begins. */
    public Tensor addNoise(Tensor x0, Tensor noise) {
        return addNoise(x0, noise, grid.start());
    }

    /** {@code x0} under {@code noise}, as noisy as x is before {@code call}. */
    public Tensor addNoise(Tensor x0, Tensor noise, int call) {
        return grid.level(call).addNoise(x0, noise);
    }

    /**
     * Puts x right after each step where {@code mask} is 0: there it becomes {@code known}, as noisy as x is then, and without noise in
     * the end (RePaint without its jumps, Lugmayr et al. 2022, eq. 8).
     */
    public Step.Listener holding(Tensor known, Tensor noise, Tensor mask) {
        return step -> {
            int next = grid.start() + step.index() + 1;
            Tensor outside = next < grid.calls() ? addNoise(known, noise, next) : known;
            return outside.mul(mask.neg().add(1)).add(step.x().mul(mask));
        };
    }

    /** Runs the sampler from {@code x} (B, ...) at the grid's start. */
    public Tensor sample(Network network, Tensor x, Noise noise, Step.Listener onStep) {
        return sampler.sample(new Denoiser(network, prediction, clipping, sigmaData), x, grid, noise, onStep);
    }
}
