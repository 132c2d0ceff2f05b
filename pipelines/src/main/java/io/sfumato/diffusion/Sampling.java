package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A sampler laid out for a number of steps: what {@link #sample} needs but the network and the noise. {@code levels} says how noisy x
 * is before each call, and {@code initNoiseSigma} what standard normal noise is multiplied by to start from.
 */
public record Sampling(Sampler sampler, Grid grid, Prediction prediction, Clipping clipping, double initNoiseSigma,
        List<NoiseLevel> levels) {

    public Sampling {
        levels = List.copyOf(levels);
    }

    /** {@code steps} steps of the configured scheduler; {@code eta} in [0, 1] is DDIM's alone, for others it must be 0. */
    public static Sampling of(SchedulerConfig config, int steps, double eta) {
        if (eta != 0 && !config.className().equals(Samplers.DDIM)) {
            throw new IllegalArgumentException("eta is used by DDIM only; the sampler is " + config.className());
        }
        int train = config.trainTimesteps();
        if (steps < 1 || steps > train) {
            throw new IllegalArgumentException(steps + " steps: between 1 and the " + train + " of the training are wanted");
        }
        return Samplers.planner(config.className()).plan(config, steps, eta);
    }

    /** The sampling of samplers that count alphas: x has unit variance. */
    static Sampling variancePreserving(Sampler sampler, Grid grid, Prediction prediction, Clipping clipping) {
        NoiseLevel[] levels = Arrays.stream(grid.timesteps()).mapToObj(t -> NoiseLevel.ofAlphaCumprod(grid.alphaCumprod(t)))
                .toArray(NoiseLevel[]::new);
        return new Sampling(sampler, grid, prediction, clipping, 1, List.of(levels));
    }

    /** The call that image-to-image of {@code strength} in [0, 1] starts at, when {@code steps} are asked for. */
    public static int skipped(int steps, double strength) {
        return steps - Math.min((int) (steps * strength), steps);
    }

    /** The same, begun at {@code call}. */
    public Sampling from(int call) {
        return new Sampling(sampler, grid.from(call), prediction, clipping, initNoiseSigma, levels);
    }

    /** {@code x0} under {@code noise}, as noisy as x is before {@code call}. */
    public Tensor addNoise(Tensor x0, Tensor noise, int call) {
        return levels.get(call).addNoise(x0, noise);
    }

    /** Runs the sampler from {@code x} (B, ...) at the grid's start. */
    public Tensor sample(Network network, Tensor x, Noise noise, Step.Listener onStep) {
        return sampler.sample(new Denoiser(network, prediction, clipping), x, grid, noise, onStep);
    }
}
