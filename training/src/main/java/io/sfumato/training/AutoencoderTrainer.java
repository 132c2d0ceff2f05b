package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Trains an autoencoder on scenes: mean absolute and squared error per pixel value, and a small divergence from the standard normal. */
final class AutoencoderTrainer {
    private final Recipe recipe;
    private final AutoencoderKl.Config config;
    private final Path run;
    private final Progress progress;

    AutoencoderTrainer(Recipe recipe, AutoencoderKl.Config config, Path run, Progress progress) {
        this.recipe = recipe;
        this.config = config;
        this.run = run;
        this.progress = progress;
    }

    /** Trains to the end, or goes on from the last checkpoint, unless that is the end; the averaged weights are then in {@code folder}. */
    void train(Example.Source scenes, ModelFolder folder) {
        Recipe.Loop loop = recipe.autoencoder().loop();
        Checkpoint checkpoint = new Checkpoint(run.resolve("autoencoder.safetensors"));
        if (checkpoint.steps() >= loop.steps()) {
            return;
        }
        Path losses = run.resolve("autoencoder.csv");
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU);
                Curve curve = new Curve(losses, checkpoint.steps(), "step", "loss", "gradient", "rate")) {
            AutoencoderKl vae = new AutoencoderKl(weights, config);
            folder.read("vae", weights.parameters());
            try (AdamW optimizer = new AdamW(weights.parameters(), loop.decay(), loop.clip());
                    Ema ema = new Ema(weights.parameters(), loop.ema())) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>(optimizer.moments());
                state.put("weights", weights.parameters());
                state.put("ema", ema.average());
                long step = checkpoint.restore(state);
                try (Shards shards = new Shards(loop.batch());
                        SceneBatches<Example> batches = new SceneBatches<>(scenes::example, loop.batch(), step * loop.batch())) {
                    for (; step < loop.steps(); step++) {
                        try (Rng rng = new Rng(recipe.seed() + step); Scope scope = new Scope()) {
                            Tensor x = pictures(batches.next());                                            // (B, 3, S, S)
                            Tensor noise = rng.randn(latentShape(x));                                       // (B, z, h, w)
                            double loss = shards.backward(loop.batch(), (from, count) ->
                                    loss(vae, x.narrow(0, from, count), noise.narrow(0, from, count)));
                            double gradient = optimizer.step(step + 1, loop.schedule().at(step));
                            ema.update(step);
                            curve.add(step, loss, gradient, loop.schedule().at(step));
                            progress.step("autoencoder", step + 1, loop.steps(), loss);
                        }
                        if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                            if (step + 1 == loop.steps()) {
                                folder.write("vae", ema.average());
                            }
                            checkpoint.save(step + 1, state);
                            CurveChart.draw(losses, run.resolve("autoencoder.png"));
                        }
                    }
                }
            }
        }
    }

    private Tensor loss(AutoencoderKl vae, Tensor x, Tensor noise) {
        var posterior = vae.encode(x);
        Tensor error = vae.decode(posterior.sample(noise)).sub(x);
        return error.abs().mean().add(error.square().mean()).add(divergence(posterior).mul(recipe.autoencoder().kl()));
    }

    /** Pictures (B, 3, S, S) in [-1, 1]. */
    static Tensor pictures(List<Example> examples) {
        return SceneBatches.pictures(examples.get(0).size(), examples.stream().map(Example::pixels).toList());
    }

    private long[] latentShape(Tensor x) {
        return new long[] {x.size(0), config.latentChannels(), x.size(2) / config.factor(), x.size(3) / config.factor()};
    }

    /** KL(q || N(0, 1)), mean over latent numbers. */
    private static Tensor divergence(AutoencoderKl.Posterior q) {
        return q.mean().square().add(q.logvar().exp()).sub(1).sub(q.logvar()).mul(0.5).mean();
    }
}
