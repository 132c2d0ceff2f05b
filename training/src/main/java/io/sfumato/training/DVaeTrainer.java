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
    private final Run run;

    DVaeTrainer(DalleRecipe recipe, Run run) {
        this.recipe = recipe;
        this.run = run;
    }

    /**
     * Trains to the end, or goes on from the last checkpoint; the averaged weights are then in {@code encoder.safetensors} and
     * {@code decoder.safetensors} of {@code folder}. The curve has PSNR and the number of codes of a batch as they are used afterwards:
     * each place its likeliest code.
     */
    void train(Example.Source scenes, Path folder) {
        DalleRecipe.Discrete c = recipe.discrete();
        int b = c.loop().batch();
        try (Rng init = new Rng(recipe.seed()); Weights weights = Weights.init(init, Device.CPU)) {
            DVae vae = new DVae(weights.sub("encoder"), weights.sub("decoder"), c.config());
            try (Loop loop = new Loop(run, "pictures", c.loop(), recipe.seed(), weights.parameters());
                    SceneBatches<Example> batches = new SceneBatches<>(scenes::example, b, loop.done() * b)) {
                loop.showing("loss", "divergence", "temperature", "psnr", "used").run((step, rng) -> {
                    Tensor x = AutoencoderTrainer.pictures(batches.next()).add(1).mul(0.5);                 // (B, 3, S, S) in [0, 1]
                    Tensor logits = vae.logits(x);                                                          // (B, codes, h, w)
                    Tensor divergence = CodebookLoss.divergenceFromUniform(logits);
                    Tensor loss = error(vae, x, logits, rng.rand(logits.shape()), step)
                            .add(divergence.mul(c.weight(step) / (x.numel() / x.size(0))));
                    loss.backward();
                    Tensor codes = logits.detach().argmax(1);
                    Map<String, Double> more = new LinkedHashMap<>();
                    more.put("divergence", divergence.item());
                    more.put("temperature", c.temperature(step));
                    more.put("psnr", psnr(vae, codes, x));
                    more.put("used", (double) Arrays.stream(codes.toLongs()).distinct().count());
                    return new Loop.Taken(loss.item(), more, () -> { });
                });
                ConfigFiles.create(folder);
                write("encoder", loop.average(), folder);
                write("decoder", loop.average(), folder);
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
