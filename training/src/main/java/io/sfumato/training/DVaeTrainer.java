package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.tokenizer.DVae;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trains a discrete VAE on scenes (Ramesh et al. 2021, 2.1 and appendix A): codes are drawn from their distribution by the Gumbel-softmax
 * relaxation, ever colder; pictures have a logit-Laplace density; the divergence from even use of the codes weighs ever more.
 */
final class DVaeTrainer {
    private final DalleRecipe recipe;
    private final Path run;
    private final Progress progress;

    DVaeTrainer(DalleRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = run;
        this.progress = progress;
    }

    /**
     * Trains to the end, or goes on from the last checkpoint; the averaged weights are then in {@code encoder.safetensors} and
     * {@code decoder.safetensors} of {@code folder}. The curve has PSNR and the number of codes of a batch as they are used afterwards:
     * each place its likeliest code.
     */
    void train(Example.Source scenes, Path folder) {
        Recipe.Loop loop = recipe.discrete().loop();
        Checkpoint checkpoint = new Checkpoint(run.resolve("pictures.safetensors"));
        Path losses = run.resolve("pictures.csv");
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU);
                Curve curve = new Curve(losses, checkpoint.steps(), "step", "loss", "divergence", "temperature", "psnr", "used")) {
            DVae vae = new DVae(weights.sub("encoder"), weights.sub("decoder"), recipe.discrete().config());
            try (AdamW optimizer = new AdamW(weights.parameters(), loop.decay(), loop.clip());
                    Ema ema = new Ema(weights.parameters(), loop.ema())) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>(optimizer.moments());
                state.put("weights", weights.parameters());
                state.put("ema", ema.average());
                long step = checkpoint.restore(state);
                try (SceneBatches<Example> batches = new SceneBatches<>(scenes::example, loop.batch(), step * loop.batch())) {
                    for (; step < loop.steps(); step++) {
                        try (Rng rng = new Rng(recipe.seed() + step); Scope scope = new Scope()) {
                            Tensor x = AutoencoderTrainer.pictures(batches.next()).add(1).mul(0.5);               // (B, 3, S, S) in [0, 1]
                            Tensor logits = vae.logits(x);                                                        // (B, codes, h, w)
                            Tensor divergence = CodebookLoss.divergenceFromUniform(logits);
                            Tensor loss = error(vae, x, logits, rng.rand(logits.shape()), step)
                                    .add(divergence.mul(recipe.discrete().weight(step) / (x.numel() / x.size(0))));
                            loss.backward();
                            optimizer.step(step + 1, loop.schedule().at(step));
                            ema.update(step);
                            Tensor codes = logits.detach().argmax(1);
                            curve.add(step, loss.item(), divergence.item(), recipe.discrete().temperature(step), psnr(vae, codes, x),
                                    Arrays.stream(codes.toLongs()).distinct().count());
                            progress.step("pictures", step + 1, loop.steps(), loss.item());
                        }
                        if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                            checkpoint.save(step + 1, state);
                            CurveChart.draw(losses, run.resolve("pictures.png"));
                        }
                    }
                }
                ConfigFiles.create(folder);
                write("encoder", ema.average(), folder);
                write("decoder", ema.average(), folder);
            }
        }
    }

    /** Minus the log density of each value of the pictures, averaged: the paper's total divided by 3 H W. */
    private Tensor error(DVae vae, Tensor x, Tensor logits, Tensor noise, long step) {
        Tensor drawn = CodebookLoss.gumbelSoftmax(logits, noise, recipe.discrete().temperature(step));
        return CodebookLoss.logitLaplace(vae.relaxed(drawn), DVae.map(x));
    }

    private static double psnr(DVae vae, Tensor codes, Tensor x) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            return -10 * Math.log10(vae.decode(codes).sub(x).square().mean().item());
        }
    }

    private static void write(String tower, Map<String, Tensor> all, Path folder) {
        Map<String, Tensor> its = new LinkedHashMap<>();
        try (var scope = new Scope()) {
            all.forEach((name, x) -> {
                if (name.startsWith(tower + ".")) {
                    its.put(name.substring(tower.length() + 1), x.detach().contiguous());
                }
            });
            SafeTensors.write(folder.resolve(tower + ".safetensors"), its, Map.of("format", "pt"));
        }
    }
}
