package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.models.upscaler.Upscaler;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;

/**
 * Trains an upscaler on large scenes: made small, through the autoencoder under some noise on the latents, and back to their size, by mean
 * absolute error. The noise (Ho et al. 2022, cascaded diffusion, 4.2) lets it mend what a denoiser leaves, and not only what was blurred.
 */
final class UpscalerTrainer {
    private final Recipe.Enlargement recipe;
    private final long seed;
    private final Run run;

    UpscalerTrainer(Recipe.Enlargement recipe, long seed, Run run) {
        this.recipe = recipe;
        this.seed = seed;
        this.run = run;
    }

    /** Trains to the end, or goes on from the last checkpoint; at each one the averaged weights go to {@code folder}. */
    void train(Example.Source scenes, AutoencoderKl vae, ModelFolder folder) {
        int b = recipe.loop().batch();
        try (Rng init = new Rng(seed); Weights weights = Weights.init(init, Device.CPU)) {
            Upscaler upscaler = new Upscaler(weights, recipe.config());
            try (Loop loop = new Loop(run, "upscaler", recipe.loop(), seed, weights.parameters());
                    SceneBatches<Example> batches = new SceneBatches<>(scenes::example, b, loop.done() * b);
                    Shards shards = new Shards(run, recipe.loop())) {
                loop.run((step, rng) -> {
                    Tensor large = AutoencoderTrainer.pictures(batches.next());                             // (B, 3, sS, sS)
                    Tensor small = small(vae, large, shards, rng);                                          // (B, 3, S, S)
                    return Loop.Taken.of(shards.backward(b, (from, count) ->
                            upscaler.forward(small.narrow(0, from, count)).sub(large.narrow(0, from, count)).abs().mean()));
                }, () -> folder.write("upscaler", loop.average()), done -> { });
            }
        }
    }

    /** What the decoder makes of the reduced pictures' latents under noise of up to {@code recipe.noise} of their own spread. */
    private Tensor small(AutoencoderKl vae, Tensor large, Shards shards, Rng rng) {
        int b = (int) large.size(0), f = vae.config().factor();
        Tensor reduced = Functional.avgPool2d(large, recipe.scale());                                        // (B, 3, S, S)
        Tensor noise = rng.randn(b, vae.config().latentChannels(), reduced.size(2) / f, reduced.size(3) / f)
                .mul(rng.rand(b, 1, 1, 1)).mul(recipe.noise() / vae.config().scalingFactor());
        return shards.rows(b, (from, count) ->
                vae.decode(vae.encode(reduced.narrow(0, from, count)).mean().add(noise.narrow(0, from, count))).clamp(-1, 1));
    }
}
