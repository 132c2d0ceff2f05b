package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.util.List;

/** Trains an autoencoder on scenes: mean absolute and squared error per pixel value, and a small divergence from the standard normal. */
final class AutoencoderTrainer {
    private final Recipe recipe;
    private final AutoencoderKl.Config config;
    private final Run run;

    AutoencoderTrainer(Recipe recipe, AutoencoderKl.Config config, Run run) {
        this.recipe = recipe;
        this.config = config;
        this.run = run;
    }

    /** Trains to the end, or goes on from the last checkpoint; the averaged weights are then in {@code folder}. */
    void train(Example.Source scenes, ModelFolder folder) {
        Recipe.Loop settings = recipe.autoencoder().loop();
        int b = settings.batch();
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU)) {
            AutoencoderKl vae = new AutoencoderKl(weights, config);
            folder.read("vae", weights.parameters());
            try (Loop loop = new Loop(run, "autoencoder", settings, recipe.seed(), weights.parameters());
                    SceneBatches<Example> batches = new SceneBatches<>(scenes::example, b, loop.done() * b);
                    Shards shards = new Shards(run, settings)) {
                loop.run((step, rng) -> {
                    Tensor x = pictures(batches.next());                                                    // (B, 3, S, S)
                    Tensor noise = rng.randn(latentShape(x));                                               // (B, z, h, w)
                    return Loop.Taken.of(shards.backward(b, (from, count) ->
                            loss(vae, x.narrow(0, from, count), noise.narrow(0, from, count))));
                });
                run.once(() -> folder.write("vae", loop.average()));
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
