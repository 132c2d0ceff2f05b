package io.sfumato.diffusion;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Improved pseudo linear multistep method, of order 4 from the fourth step on (Zhang and Chen 2023, section 3.4; crowsonkb's v-diffusion),
 * for networks that answer v on a unit circle of signal and noise with timesteps from 1 to 0.
 */
record Ipndm() implements Sampler {
    private static final double LEAST_ALPHA = 1e-8;

    @Override
    public Tensor sample(Denoiser denoiser, Tensor x, Grid grid, Noise noise, Step.Listener onStep) {
        try (var all = new Scope()) {
            List<Tensor> epsilons = new ArrayList<>();
            for (int i = grid.start(); i < grid.calls(); i++) {
                try (var scope = new Scope()) {
                    NoiseLevel at = grid.level(i);
                    Tensor out = denoiser.output(x, grid.timestep(i));
                    epsilons.add(scope.keep(denoiser.epsilon(x, out, at)));
                    Tensor epsilon = Pndm.multistep(epsilons);
                    Tensor picture = x.sub(epsilon.mul(at.sigma())).div(Math.max(at.alpha(), LEAST_ALPHA));
                    Tensor next = grid.level(i + 1).addNoise(picture, epsilon);
                    x = scope.keep(onStep.onStep(grid.step(i, next, denoiser.x0(x, out, at))));
                }
            }
            return all.keep(x);
        }
    }

    static Sampling plan(SchedulerConfig config, Steps steps, StepOptions options) {
        config.require("trained_betas", "null");
        double[] sigmas = Arrays.stream(Sigmas.floatLinspace(1, 0, steps.count() + 1)).map(Ipndm::squaredSine).toArray();
        double[] timesteps = Arrays.stream(sigmas, 0, steps.count())
                .map(sigma -> (float) (Math.atan2(sigma, Math.sqrt(1 - sigma * sigma)) / Math.PI * 2)).toArray();
        Grid grid = Grid.ofSigmas(timesteps, sigmas, NoiseScale.UNIT_CIRCLE);
        return new Sampling(new Ipndm(), grid, Prediction.V_PREDICTION, Clipping.none(), 1);
    }

    private static double squaredSine(double step) {
        float sine = (float) Math.sin((float) (step * Math.PI) / 2);
        return sine * sine;
    }
}
