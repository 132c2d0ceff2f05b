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
    private final Run run;

    VitVqGanTrainer(TokenRecipe recipe, Run run) {
        this.recipe = recipe;
        this.run = run;
    }

    /** What is trained: all, or what draws the codes. */
    private record Stage(String name, Recipe.Loop loop, long adversary, boolean whole) {
        /** Those of the network's parameters; the rest decides what the codes are. */
        Map<String, Tensor> trained(Map<String, Tensor> parameters) {
            Map<String, Tensor> trained = new LinkedHashMap<>(parameters);
            trained.keySet().removeIf(name -> !whole && !name.startsWith("decoder.") && !name.startsWith("post_quant."));
            return trained;
        }
    }

    /** Trains to the end, or goes on from the last checkpoint; the weights are then in {@code file}. */
    void train(Example.Source scenes, Path file) {
        train(new Stage("pictures", recipe.pictures().loop(), recipe.pictures().adversary(), true), scenes, file);
    }

    /** Trains the decoder of the weights in {@code file}, which then has them; encoder and codebook stay (Yu et al. 2022, 2.1). */
    void trainDecoder(TokenRecipe.DecoderAlone decoder, Example.Source scenes, Path file) {
        train(new Stage("decoder", decoder.loop(), decoder.adversary(), false), scenes, file);
    }

    private void train(Stage stage, Example.Source scenes, Path file) {
        Recipe.Loop settings = stage.loop;
        int b = settings.batch();
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU);
                Weights adversary = Weights.init(init, Device.CPU);
                PictureDistance features = PictureDistance.of(recipe.pictures().lpips())) {
            VitVqGan vit = new VitVqGan(weights, recipe.vit());
            PatchDiscriminator discriminator = new PatchDiscriminator(adversary, DISCRIMINATOR_WIDTH, 2);
            if (!stage.whole) {
                ModelFolder.begin(file, weights.parameters());
            }
            try (Optimizer opponent = settings.optimizer(adversary.parameters(), "adamw");
                    CodebookUse use = new CodebookUse(weights.parameters().get("quantizer.embedding.weight"), 0.99);
                    Loop loop = new Loop(run, stage.name, settings, recipe.seed(), stage.trained(weights.parameters()));
                    SceneBatches<Example> batches = new SceneBatches<>(scenes::example, b, loop.done() * b)) {
                Map<String, Map<String, Tensor>> more = new LinkedHashMap<>();
                more.put("use", use.state());
                more.put("adversary", adversary.parameters());
                opponent.moments().forEach((name, moments) -> more.put("adversary-" + name, moments));
                loop.keeping(more).showing("loss", "psnr", "used").run((step, rng) -> {
                    Tensor x = AutoencoderTrainer.pictures(batches.next()).add(1).mul(0.5);                 // (B, 3, S, S) in [0, 1]
                    Round round = round(stage, vit, discriminator, features, x, step);
                    round.loss.backward();
                    double psnr = -10 * Math.log10(round.error), used = use.count(round.codes);
                    return new Loop.Taken(round.loss.item(), Map.of("psnr", psnr, "used", used), () -> {
                        if (stage.whole) {
                            use.restart(round.latents.flatten(0, 1), recipe.pictures().restart(), rng);
                        }
                        if (step >= stage.adversary) {
                            challenge(discriminator, adversary, x, round.drawn, opponent, step - stage.adversary + 1,
                                    settings.rates().at(step));
                        }
                    });
                });
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

    private Round round(Stage stage, VitVqGan vit, PatchDiscriminator discriminator, PictureDistance features, Tensor x, long step) {
        TokenRecipe.Pictures c = recipe.pictures();
        Tensor latents = vit.unit(vit.latents(x)), codes = vit.codes(latents.detach()), quantized = vit.quantized(codes);
        Tensor drawn = vit.picture(stage.whole ? CodebookLoss.straightThrough(latents, quantized) : quantized.detach());
        Tensor squares = drawn.sub(x).square().mean();
        Tensor loss = squares.add(features.distance(drawn, x).mul(c.perceptual()));
        if (stage.whole) {
            loss = loss.add(CodebookLoss.codebook(latents, quantized, c.commitment()));
        }
        if (step >= stage.adversary && c.adversarial() > 0) {
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

    private void challenge(PatchDiscriminator discriminator, Weights adversary, Tensor x, Tensor drawn, Optimizer opponent, long step,
                           double rate) {
        // What the generator's pass left in the discriminator is not the discriminator's own.
        adversary.parameters().values().stream().filter(Tensor::hasGrad).forEach(p -> p.grad().zero_());
        CodebookLoss.hinge(discriminator.forward(x), discriminator.forward(drawn)).backward();
        opponent.step(step, rate);
    }
}
