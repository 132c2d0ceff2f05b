package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.tokenizer.PatchDiscriminator;
import io.sfumato.models.tokenizer.VitVqGan;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trains a ViT-VQGAN on scenes (Yu et al. 2022, 3.3): squared error, perceptual distance, the codebook's own loss and, late, an adversary
 * whose weight adapts.
 */
final class VitVqGanTrainer {
    private static final int DISCRIMINATOR_WIDTH = 16;

    private final TokenRecipe recipe;
    private final Path run;
    private final Progress progress;

    VitVqGanTrainer(TokenRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = run;
        this.progress = progress;
    }

    /** Trains to the end, or goes on from the last checkpoint; the weights are then in {@code file}. */
    void train(Example.Source scenes, Path file) {
        Recipe.Loop loop = recipe.pictures().loop();
        Checkpoint checkpoint = new Checkpoint(run.resolve("pictures.safetensors"));
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU);
                Weights adversary = Weights.init(init, Device.CPU);
                PictureDistance features = PictureDistance.of(recipe.pictures().lpips());
                Curve curve = new Curve(run.resolve("pictures.csv"), checkpoint.steps(), "step", "loss", "psnr", "used")) {
            VitVqGan vit = new VitVqGan(weights, recipe.vit());
            PatchDiscriminator discriminator = new PatchDiscriminator(adversary, DISCRIMINATOR_WIDTH, 2);
            try (AdamW optimizer = new AdamW(weights.parameters(), loop.decay(), loop.clip());
                    AdamW opponent = new AdamW(adversary.parameters(), loop.decay(), loop.clip());
                    CodebookUse use = new CodebookUse(weights.parameters().get("quantizer.embedding.weight"), 0.99)) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>();
                optimizer.moments().forEach((name, moments) -> state.put(name, moments));
                opponent.moments().forEach((name, moments) -> state.put("adversary-" + name, moments));
                state.put("use", use.state());
                state.put("weights", weights.parameters());
                state.put("adversary", adversary.parameters());
                long step = checkpoint.restore(state);
                try (SceneBatches<Example> batches = new SceneBatches<>(scenes::example, loop.batch(), step * loop.batch())) {
                    for (; step < loop.steps(); step++) {
                        try (Rng rng = new Rng(recipe.seed() + step); Scope scope = new Scope()) {
                            Tensor x = AutoencoderTrainer.pictures(batches.next()).add(1).mul(0.5);               // (B, 3, S, S) in [0, 1]
                            Round round = round(vit, discriminator, features, x, step);
                            round.loss.backward();
                            optimizer.step(step + 1, loop.schedule().at(step));
                            int used = use.count(round.codes);
                            use.restart(round.latents.flatten(0, 1), recipe.pictures().restart(), rng);
                            if (step >= recipe.pictures().adversary()) {
                                challenge(discriminator, adversary, x, round.drawn, opponent, step);
                            }
                            curve.add(step, round.loss.item(), -10 * Math.log10(round.error), used);
                            progress.step("pictures", step + 1, loop.steps(), round.loss.item());
                        }
                        if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                            checkpoint.save(step + 1, state);
                        }
                    }
                }
                try (Scope scope = new Scope()) {
                    Map<String, Tensor> all = new LinkedHashMap<>();
                    weights.parameters().forEach((name, x) -> all.put(name, x.detach()));
                    SafeTensors.write(file, all, Map.of("format", "pt"));
                }
            }
        }
    }

    /** What a step is made of. */
    private record Round(Tensor loss, double error, Tensor latents, Tensor codes, Tensor drawn) {
    }

    private Round round(VitVqGan vit, PatchDiscriminator discriminator, PictureDistance features, Tensor x, long step) {
        TokenRecipe.Pictures c = recipe.pictures();
        Tensor latents = vit.unit(vit.latents(x)), codes = vit.codes(latents.detach()), quantized = vit.quantized(codes);
        Tensor drawn = vit.picture(CodebookLoss.straightThrough(latents, quantized));
        Tensor squares = drawn.sub(x).square().mean();
        Tensor loss = squares.add(features.distance(drawn, x).mul(c.perceptual()))
                .add(CodebookLoss.codebook(latents, quantized, c.commitment()));
        if (step >= c.adversary() && c.adversarial() > 0) {
            double weight = c.adversarial() * adaptive(discriminator, features, drawn, x);
            loss = loss.add(discriminator.forward(drawn).mean().mul(-weight));
        }
        return new Round(loss, squares.item(), latents.detach(), codes, drawn.detach());
    }

    /** The two gradients at the picture, without going through the network that drew it. */
    private double adaptive(PatchDiscriminator discriminator, PictureDistance features, Tensor drawn, Tensor x) {
        try (var scope = new Scope()) {
            Tensor a = drawn.detach().clone().requiresGrad_(true), b = drawn.detach().clone().requiresGrad_(true);
            a.sub(x).square().mean().add(features.distance(a, x).mul(recipe.pictures().perceptual())).backward();
            discriminator.forward(b).mean().neg().backward();
            return CodebookLoss.adaptiveWeight(a.grad(), b.grad());
        }
    }

    private void challenge(PatchDiscriminator discriminator, Weights adversary, Tensor x, Tensor drawn, AdamW opponent, long step) {
        // What the generator's pass left in the discriminator is not the discriminator's own.
        adversary.parameters().values().stream().filter(Tensor::hasGrad).forEach(p -> p.grad().zero_());
        CodebookLoss.hinge(discriminator.forward(x), discriminator.forward(drawn)).backward();
        opponent.step(step - recipe.pictures().adversary() + 1, recipe.pictures().loop().schedule().at(step));
    }
}
