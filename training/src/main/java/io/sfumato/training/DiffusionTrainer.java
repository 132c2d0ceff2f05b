package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongConsumer;

/**
 * Trains a U-Net, and a text encoder with it unless that is frozen, on cached latents: the noise or the velocity is predicted at a random
 * time (Ho et al. 2020, algorithm 1; Salimans and Ho 2022, 2.4), some captions are dropped for guidance (Ho and Salimans 2022).
 */
final class DiffusionTrainer {
    private final Recipe recipe;
    private final Run run;

    DiffusionTrainer(Recipe recipe, Run run) {
        this.recipe = recipe;
        this.run = run;
    }

    /**
     * Trains to the end, or goes on from the last checkpoint. At each one the averaged weights go to {@code folder} and {@code onSave}
     * gets the number of steps done.
     */
    void train(LatentCache data, TextStates text, UNetConfig unetConfig, ModelFolder folder, LongConsumer onSave) {
        Recipe.Diffusion d = recipe.diffusion();
        int b = d.loop().batch();
        double[] alphas = folder.scheduler().alphasCumprod();
        try (Rng init = new Rng(recipe.seed()); Scope constants = new Scope(); Weights unetWeights = Weights.init(init, Device.CPU)) {
            UNet2DCondition unet = new UNet2DCondition(unetWeights, unetConfig);
            folder.read("unet", unetWeights.parameters());
            Map<String, Tensor> parameters = new LinkedHashMap<>();
            text.parameters().forEach((name, p) -> parameters.put("text_encoder/" + name, p));
            unetWeights.parameters().forEach((name, p) -> parameters.put("unet/" + name, p));
            Tensor signal = table(alphas, Math::sqrt), noise = table(alphas, x -> Math.sqrt(1 - x));        // each (1000)
            Tensor weight = table(alphas, x -> d.weight(x));                                                // (1000)
            try (Loop loop = new Loop(run, "diffusion", d.loop(), recipe.seed() << 32, parameters);
                    Shards shards = new Shards(run, d.loop())) {
                loop.run((step, rng) -> {
                    Tensor pick = rng.randint(0, data.captions().size(), b);
                    Tensor t = times(d.times(), rng, b, alphas.length);
                    Tensor z = data.latents().indexSelect(0, pick).to(DType.F32).mul(data.scale());         // (B, z, h, w)
                    Tensor eps = rng.randn(z.shape());
                    Tensor a = signal.indexSelect(0, t).view(b, 1, 1, 1), s = noise.indexSelect(0, t).view(b, 1, 1, 1);
                    Tensor w = weight.indexSelect(0, t).view(b, 1, 1, 1);
                    Tensor captions = text.rows(pick, rng.rand(b, 1).lt(d.captionDropout()));
                    Tensor noisy = z.mul(a).add(eps.mul(s));
                    Tensor target = d.prediction().equals("epsilon") ? eps : eps.mul(a).sub(z.mul(s));
                    return Loop.Taken.of(shards.backward(b, (from, count) -> {
                        Tensor states = text.states(captions.narrow(0, from, count));                       // (b, L, D)
                        Tensor guess = unet.forward(noisy.narrow(0, from, count), t.narrow(0, from, count), states);
                        return guess.sub(target.narrow(0, from, count)).square().mul(w.narrow(0, from, count)).mean();
                    }));
                }, () -> {
                    folder.write("text_encoder", Loop.below("text_encoder/", loop.average()));
                    folder.write("unet", Loop.below("unet/", loop.average()));
                }, onSave);
            }
        }
    }

    /** Steps of noise for {@code count} examples: uniform, or the sigmoid of standard normal numbers (Esser et al. 2024, 3.1). */
    static Tensor times(String kind, Rng rng, int count, int steps) {
        return kind.equals("uniform") ? rng.randint(0, steps, count)
                : rng.randn(count).sigmoid().mul(steps).clamp(0, steps - 1).to(DType.I64);                  // (B), rounded down
    }

    /** What {@code f} makes of each value, as float32 (N). */
    static Tensor table(double[] values, DoubleUnaryOperator f) {
        float[] table = new float[values.length];
        for (int i = 0; i < table.length; i++) {
            table[i] = (float) f.applyAsDouble(values[i]);
        }
        return Tensor.of(table, table.length);
    }
}
