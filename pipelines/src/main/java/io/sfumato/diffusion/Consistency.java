package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/**
 * Multistep sampling of consistency models (Song et al. 2023, algorithm 1): each call goes to the picture, and back under fresh noise
 * to the next sigma. Inputs and answers are scaled so that at {@code sigmaMin} the model is the identity.
 */
record Consistency(double sigmaMin, double sigmaMax, double sigmaData, double sNoise) implements Sampler {
    private static final int TRAIN_TIMESTEPS = 40;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    double sigma = grid.sigma(i);
                    double above = sigma - sigmaMin;
                    double data = sigmaData * sigmaData;
                    double norm = Math.sqrt(sigma * sigma + data);
                    Tensor out = denoiser.output(x.div(norm), grid.timestep(i));
                    Tensor x0 = denoiser.clipping().apply(out.mul(above * sigmaData / norm).add(x.mul(data / (above * above + data))));
                    double to = Math.min(Math.max(grid.sigma(i + 1), sigmaMin), sigmaMax);
                    double std = sNoise * Math.sqrt(to * to - sigmaMin * sigmaMin);
                    Tensor next = grid.calls() > 1 ? x0.add(noise.next(x).mul(std)) : x0;
                    x = scope.keep(onStep.onStep(grid.step(i, next, x0)));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        double min = config.number("sigma_min", 0.002);
        double max = config.number("sigma_max", 80);
        double rho = config.number("rho", 7);
        int train = config.integer("num_train_timesteps", TRAIN_TIMESTEPS);
        Sampling.requireWithin(steps, train);
        double[] places = steps.kind() == Steps.Kind.TIMESTEPS ? steps.timesteps()
                : Spacing.leading(train / steps.count(), steps.count(), 0);
        if (places[0] >= train) {
            throw new IllegalArgumentException("timestep " + places[0] + ": the training had " + train);
        }
        int n = places.length;
        double[] sigmas = new double[n];
        Arrays.setAll(sigmas, i -> SigmaSchedule.karras(max, min, rho, places[n - 1 - i] / (train - 1)));
        double[] timesteps = Arrays.stream(sigmas).map(s -> 250 * Math.log(s)).toArray();
        Grid grid = Grid.ofSigmas(timesteps, Sigmas.closed(sigmas, min), NoiseScale.VARIANCE_EXPLODING);
        var sampler = new Consistency(min, max, config.number("sigma_data", 0.5), config.number("s_noise", 1));
        Clipping clipping = config.flag("clip_denoised", true) ? Clipping.range(1) : Clipping.none();
        return new Sampling(sampler, grid, Prediction.SAMPLE, clipping, max);
    }
}
