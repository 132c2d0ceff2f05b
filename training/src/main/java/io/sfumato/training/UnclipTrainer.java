package io.sfumato.training;

import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.io.JsonFile;
import io.sfumato.io.Weights;
import io.sfumato.models.unclip.PriorTransformer;
import io.sfumato.models.unclip.TextProjection;
import io.sfumato.models.unet.Conditioning;
import io.sfumato.models.unet.GlideUNet;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Trains an unCLIP's networks one after the other (Ramesh et al. 2022, 2 and appendix C): the prior predicts the image embedding that it
 * sees under noise, the decoder and the network that enlarges the noise. CLIP is frozen. A run that was cut off goes on where it was.
 */
public final class UnclipTrainer {
    /** Scenes of one network, of which no other sees any, and which CLIP did not see. */
    private static final long SCENES = 1L << 34;
    /** A Gaussian kernel of 3x3 and deviation 0.6, which blurs what is to be enlarged (appendix C). */
    private static final float SIDE = 0.1664f;
    private static final float MIDDLE = 1 - 2 * SIDE;

    private final UnclipRecipe recipe;
    private final Run run;
    private final Example.Source scenes;

    /** What one example of a batch more or less costs, given scenes and a source of all that is random. */
    private interface Batches {
        Shards.Loss of(List<Example> scenes, Rng rng);
    }

    public UnclipTrainer(UnclipRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = new Run(run, progress);
        scenes = recipe.data().open(1);
    }

    /** @return the model folder, {@code run/model}; {@code onSave} gets it at each checkpoint of the last network */
    public Path train(Consumer<Path> onSave) {
        UnclipFolder folder = new UnclipFolder(run.file("model"));
        folder.begin(recipe, Path.of(recipe.clip()));
        try (FrozenClip clip = new FrozenClip(folder)) {
            trainPrior(clip, folder);
            trainDecoder(clip, folder);
            trainEnlarger(folder, () -> {
                SampleSheet.draw(folder.path(), recipe.prompts(), run.file("samples.png"));
                onSave.accept(folder.path());
            });
        }
        return folder.path();
    }

    private void trainPrior(FrozenClip clip, UnclipFolder folder) {
        UnclipRecipe.Prior r = recipe.prior();
        try (Rng init = new Rng(recipe.seed() + 1); Weights weights = Weights.init(init, Device.CPU); Scope constants = new Scope()) {
            PriorTransformer prior = new PriorTransformer(weights, PriorTransformer.Config.of(folder.config("prior")));
            Tensor[] statistics = statistics(clip, r.scenes());
            try (NoGrad noGrad = new NoGrad()) {
                weights.parameters().get("clip_mean").copy_(statistics[0]);
                weights.parameters().get("clip_std").copy_(statistics[1]);
            }
            Levels levels = new Levels(folder, "prior_scheduler");
            loop("prior", 0, r.loop(), weights.parameters(), (batch, rng) -> {
                int b = batch.size();
                FrozenClip.Read read = clip.read(captions(batch), rng.rand(b).lt(r.textDropout()));
                Tensor x0 = clip.see(AutoencoderTrainer.pictures(batch)).sub(statistics[0]).div(statistics[1]);     // (B, E)
                Tensor t = levels.times(b, rng), x = levels.noisy(x0, rng.randn(x0.shape()), t);
                return (from, count) -> {
                    FrozenClip.Read part = read.part(from, count);
                    Tensor guess = prior.forward(x.narrow(0, from, count), t.narrow(0, from, count), part.embeddings(), part.states(),
                            part.mask());
                    return guess.sub(x0.narrow(0, from, count)).square().mean();
                };
            }, average -> folder.write("prior", average));
        }
    }

    /** Mean and deviation of image embeddings, each (1, E). */
    private Tensor[] statistics(FrozenClip clip, int count) {
        try (Scope scope = new Scope(); NoGrad noGrad = new NoGrad()) {
            List<Tensor> seen = new ArrayList<>();
            int at = recipe.prior().loop().batch();
            for (long from = 0; from < count; from += at) {
                List<Example> batch = new ArrayList<>();
                for (long seed = from; seed < Math.min(from + at, count); seed++) {
                    batch.add(scenes.example(SCENES - 1 - seed));
                }
                seen.add(clip.see(AutoencoderTrainer.pictures(batch)));
            }
            Tensor all = Tensor.cat(0, seen.toArray(Tensor[]::new));                                                // (N, E)
            Tensor mean = all.mean(true, 0);
            return new Tensor[] {scope.keep(mean), scope.keep(all.sub(mean).square().mean(true, 0).add(1e-8).sqrt())};
        }
    }

    private void trainDecoder(FrozenClip clip, UnclipFolder folder) {
        UnclipRecipe.Decoder r = recipe.decoder();
        try (Rng init = new Rng(recipe.seed() + 2); Weights weights = Weights.init(init, Device.CPU); Scope constants = new Scope()) {
            TextProjection projection = new TextProjection(weights.sub("text_proj"), TextProjection.Config.of(folder.config("text_proj")));
            GlideUNet unet = new GlideUNet(weights.sub("decoder"), GlideUNetConfig.of(folder.config("decoder")));
            Levels levels = new Levels(folder, "decoder_scheduler");
            loop("decoder", 1, r.loop(), weights.parameters(), (batch, rng) -> {
                int b = batch.size();
                Tensor pictures = AutoencoderTrainer.pictures(batch), seen = clip.see(pictures);                    // (B, E)
                FrozenClip.Read read = clip.read(captions(batch), rng.rand(b).lt(r.textDropout()));
                Tensor gone = rng.rand(b, 1).lt(r.imageDropout()).to(DType.F32);
                Tensor x0 = Functional.avgPool2d(pictures, recipe.data().size() / r.size());                        // (B, 3, s, s)
                Tensor t = levels.times(b, rng), eps = rng.randn(x0.shape()), x = levels.noisy(x0, eps, t);
                return (from, count) -> {
                    FrozenClip.Read part = read.part(from, count);
                    Tensor without = gone.narrow(0, from, count);
                    Tensor image = seen.narrow(0, from, count).mul(without.neg().add(1)).add(projection.noImage(count).mul(without));
                    TextProjection.Told told = projection.forward(image, part.embeddings(), part.states());
                    Tensor mask = Tensor.cat(1, Tensor.ones(count, projection.config().tokens()), part.mask());
                    Conditioning given = Conditioning.text(told.states()).with(Conditioning.Input.LABEL, told.label())
                            .with(Conditioning.Input.TEXT_MASK, mask);
                    Tensor guess = unet.forward(x.narrow(0, from, count), t.narrow(0, from, count), given);
                    return guess.sub(eps.narrow(0, from, count)).square().mean();
                };
            }, average -> {
                folder.write("text_proj", below("text_proj.", average));
                folder.write("decoder", below("decoder.", average));
            });
        }
    }

    private void trainEnlarger(UnclipFolder folder, Runnable onSave) {
        UnclipRecipe.Enlarger r = recipe.enlarger();
        try (Rng init = new Rng(recipe.seed() + 3); Weights weights = Weights.init(init, Device.CPU); Scope constants = new Scope()) {
            GlideUNet unet = new GlideUNet(weights, GlideUNetConfig.of(folder.config("super_res_first")));
            Levels levels = new Levels(folder, "super_res_scheduler");
            int size = recipe.data().size();
            loop("enlarger", 2, r.loop(), weights.parameters(), (batch, rng) -> {
                Tensor pictures = AutoencoderTrainer.pictures(batch);
                Tensor small = blurred(Functional.avgPool2d(pictures, size / recipe.decoder().size()));
                Tensor[] parts = parts(pictures, Functional.resizeBicubic(small, size, size), r.crop(), rng);
                Tensor x0 = parts[0], low = parts[1];                                                               // (B, 3, c, c)
                Tensor t = levels.times(batch.size(), rng), eps = rng.randn(x0.shape());
                Tensor x = Tensor.cat(1, levels.noisy(x0, eps, t), low);                                            // (B, 6, c, c)
                return (from, count) -> unet.forward(x.narrow(0, from, count), t.narrow(0, from, count), Conditioning.none())
                        .sub(eps.narrow(0, from, count)).square().mean();
            }, average -> {
                folder.write("super_res_first", average);
                folder.write("super_res_last", average);
                onSave.run();
            });
        }
    }

    private static Tensor blurred(Tensor x) {
        float[] line = {SIDE, MIDDLE, SIDE}, kernel = new float[9];
        for (int i = 0; i < kernel.length; i++) {
            kernel[i] = line[i / 3] * line[i % 3];
        }
        Tensor weight = Tensor.of(kernel, 1, 1, 3, 3), none = Tensor.zeros(1);
        Tensor planes = x.reshape(x.size(0) * x.size(1), 1, x.size(2), x.size(3));
        Tensor inside = Functional.conv2d(Tensor.ones(1, 1, x.size(2), x.size(3)), weight, none, 1, 1);
        return Functional.conv2d(planes, weight, none, 1, 1).div(inside).view(x.shape());
    }

    /** The same random part of {@code side} pixels of both of each pair of pictures. */
    private static Tensor[] parts(Tensor a, Tensor b, int side, Rng rng) {
        int n = (int) a.size(0);
        Tensor[] first = new Tensor[n], second = new Tensor[n];
        double[] places = rng.rand(2L * n).toDoubles();
        long most = a.size(2) - side + 1;
        for (int i = 0; i < n; i++) {
            long y = (long) (places[2 * i] * most), x = (long) (places[2 * i + 1] * most);
            first[i] = a.narrow(0, i, 1).narrow(2, y, side).narrow(3, x, side);
            second[i] = b.narrow(0, i, 1).narrow(2, y, side).narrow(3, x, side);
        }
        return new Tensor[] {Tensor.cat(0, first), Tensor.cat(0, second)};
    }

    private static List<String> captions(List<Example> batch) {
        return batch.stream().map(Example::caption).toList();
    }

    /** How much of picture and noise there is at each of a scheduler's times. */
    private static final class Levels {
        private final Tensor signal;
        private final Tensor noise;

        Levels(UnclipFolder folder, String scheduler) {
            double[] alphas = SchedulerConfig.of(JsonFile.read(folder.path().resolve(scheduler).resolve("scheduler_config.json")))
                    .alphasCumprod();
            float[] a = new float[alphas.length], s = new float[alphas.length];
            for (int i = 0; i < a.length; i++) {
                a[i] = (float) Math.sqrt(alphas[i]);
                s[i] = (float) Math.sqrt(1 - alphas[i]);
            }
            signal = Tensor.of(a, a.length);
            noise = Tensor.of(s, s.length);
        }

        Tensor times(int count, Rng rng) {
            return rng.randint(0, signal.size(0), count);
        }

        Tensor noisy(Tensor x0, Tensor eps, Tensor t) {
            long[] each = new long[x0.shape().length];
            Arrays.fill(each, 1);
            each[0] = x0.size(0);
            return x0.mul(signal.indexSelect(0, t).view(each)).add(eps.mul(noise.indexSelect(0, t).view(each)));
        }
    }

    private void loop(String stage, int number, Recipe.Loop settings, Map<String, Tensor> parameters, Batches batches,
            Consumer<Map<String, Tensor>> onSave) {
        int b = settings.batch();
        try (Loop loop = new Loop(run, stage, settings, recipe.seed() << 32, parameters);
                var ahead = new SceneBatches<>(scenes::example, b, (number + 1) * SCENES + loop.done() * b);
                Shards shards = new Shards(run, settings)) {
            loop.run((step, rng) -> Loop.Taken.of(shards.backward(b, batches.of(ahead.next(), rng))),
                    () -> onSave.accept(loop.average()), done -> { });
        }
    }

    private static Map<String, Tensor> below(String prefix, Map<String, Tensor> all) {
        Map<String, Tensor> some = new LinkedHashMap<>();
        all.forEach((name, x) -> {
            if (name.startsWith(prefix)) {
                some.put(name.substring(prefix.length()), x);
            }
        });
        return some;
    }
}
