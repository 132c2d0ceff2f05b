package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.models.upscaler.Upscaler;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trains an upscaler on large scenes: made small, through the autoencoder under some noise on the latents, and back to their size, by mean
 * absolute error. The noise (Ho et al. 2022, cascaded diffusion, 4.2) lets it mend what a denoiser leaves, and not only what was blurred.
 */
final class UpscalerTrainer {
    private final Recipe.Enlargement recipe;
    private final long seed;
    private final Path run;
    private final Progress progress;

    UpscalerTrainer(Recipe.Enlargement recipe, long seed, Path run, Progress progress) {
        this.recipe = recipe;
        this.seed = seed;
        this.run = run;
        this.progress = progress;
    }

    /** Trains to the end, or goes on from the last checkpoint, unless that is the end; the averaged weights go to {@code folder}. */
    void train(Example.Source scenes, AutoencoderKl vae, ModelFolder folder) {
        Recipe.Loop loop = recipe.loop();
        Checkpoint checkpoint = new Checkpoint(run.resolve("upscaler.safetensors"));
        if (checkpoint.steps() >= loop.steps()) {
            return;
        }
        Path losses = run.resolve("upscaler.csv");
        try (Rng init = new Rng(seed); Weights weights = Weights.init(init, Device.CPU);
                Curve curve = new Curve(losses, checkpoint.steps(), "step", "loss", "gradient", "rate")) {
            Upscaler upscaler = new Upscaler(weights, recipe.config());
            try (AdamW optimizer = new AdamW(weights.parameters(), loop.decay(), loop.clip());
                    Ema ema = new Ema(weights.parameters(), loop.ema())) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>(optimizer.moments());
                state.put("weights", weights.parameters());
                state.put("ema", ema.average());
                long step = checkpoint.restore(state);
                try (Shards shards = new Shards(loop.batch());
                        SceneBatches<Example> batches = new SceneBatches<>(scenes::example, loop.batch(), step * loop.batch())) {
                    for (; step < loop.steps(); step++) {
                        try (Rng rng = new Rng(seed + step); Scope scope = new Scope()) {
                            Tensor large = AutoencoderTrainer.pictures(batches.next());                     // (B, 3, sS, sS)
                            Tensor small = small(vae, large, shards, rng);                                  // (B, 3, S, S)
                            double loss = shards.backward(loop.batch(), (from, count) ->
                                    upscaler.forward(small.narrow(0, from, count)).sub(large.narrow(0, from, count)).abs().mean());
                            double gradient = optimizer.step(step + 1, loop.schedule().at(step));
                            ema.update(step);
                            curve.add(step, loss, gradient, loop.schedule().at(step));
                            progress.step("upscaler", step + 1, loop.steps(), loss);
                        }
                        if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                            folder.write("upscaler", ema.average());
                            checkpoint.save(step + 1, state);
                            CurveChart.draw(losses, run.resolve("upscaler.png"));
                        }
                    }
                }
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
