package io.sfumato.training;

import io.sfumato.diffusion.ContinuousTime;
import io.sfumato.diffusion.NoiseLevel;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.imagen.ImagenNetwork;
import io.sfumato.models.t5.T5Encoder;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.T5Tokenizer;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.World;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;

/**
 * Trains Imagen's stages one after the other (Saharia et al. 2022, 2 and appendix F): at a random time the noise or the velocity is
 * predicted, some examples without text; stages that enlarge see the small picture under noise of a random level. The text encoder is
 * frozen. A run that was cut off goes on where it was.
 */
public final class ImagenTrainer {
    /** Scenes of one stage, of which no other sees any. */
    private static final long SCENES = 1L << 34;

    private final ImagenRecipe recipe;
    private final Run run;
    private final World world;

    public ImagenTrainer(ImagenRecipe recipe, Path run, Progress progress) {
        this(recipe, run, progress, ProcessGroup.alone());
    }

    /** The same by several processes: see {@link Trainer#Trainer(Recipe, Path, Progress, ProcessGroup)}. */
    public ImagenTrainer(ImagenRecipe recipe, Path run, Progress progress, ProcessGroup group) {
        this.recipe = recipe;
        this.run = Run.in(run, progress, group);
        world = new World(recipe.world(), recipe.clipart().isEmpty() ? ClipArt.bundled() : ClipArt.load(Path.of(recipe.clipart())));
    }

    /** @return the model folder, {@code run/model}; {@code onSave} gets it at each checkpoint of the last stage */
    public Path train(Consumer<Path> onSave) {
        ImagenFolder folder = new ImagenFolder(run.file("model"));
        run.once(() -> begin(folder));
        T5Tokenizer tokenizer = T5Tokenizer.load(folder.path().resolve("tokenizer"));
        T5Encoder.Config config = T5Encoder.Config.of(ConfigJson.read(folder.path().resolve("text_encoder/config.json")));
        try (SafeTensors file = SafeTensors.open(folder.weights("text_encoder"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            T5Encoder text = weights.build(w -> new T5Encoder(w, config), T5Encoder::isExtra);
            List<String> stages = List.copyOf(recipe.stages().keySet());
            for (int i = 0; i < stages.size(); i++) {
                boolean last = i == stages.size() - 1;
                train(stages.get(i), i, new Texts(tokenizer, text), folder, () -> {
                    if (last) {
                        SampleSheet.draw(folder.path(), recipe.prompts(), run.file("samples.png"));
                        onSave.accept(folder.path());
                    }
                });
            }
        }
        return folder.path();
    }

    /** Tokenizer, configs, and the text encoder, which stays as it begins. */
    private void begin(ImagenFolder folder) {
        int vocabulary = folder.writeTokenizer(LongStream.range(0, recipe.text().captions()).mapToObj(seed -> world.scene(seed).caption()));
        folder.writeConfigs(recipe, vocabulary);
        if (!Files.exists(folder.weights("text_encoder"))) {
            try (Rng rng = new Rng(recipe.seed()); Weights fresh = Weights.init(rng, Device.CPU)) {
                new T5Encoder(fresh, recipe.text().config(vocabulary));
                folder.write("text_encoder", fresh.parameters());
            }
        }
    }

    /** The frozen encoder. */
    private final class Texts {
        private final T5Tokenizer tokenizer;
        private final T5Encoder encoder;

        Texts(T5Tokenizer tokenizer, T5Encoder encoder) {
            this.tokenizer = tokenizer;
            this.encoder = encoder;
        }

        Tensor states(List<Scene> scenes) {
            try (var noGrad = new NoGrad()) {
                int length = recipe.text().length();
                long[] ids = new long[scenes.size() * length], mask = new long[ids.length];
                for (int i = 0; i < scenes.size(); i++) {
                    T5Tokenizer.Encoded encoded = tokenizer.encode(scenes.get(i).caption(), length);
                    for (int j = 0; j < length; j++) {
                        ids[i * length + j] = encoded.ids()[j];
                        mask[i * length + j] = encoded.mask()[j];
                    }
                }
                return encoder.forward(Tensor.of(ids, scenes.size(), length), Tensor.of(mask, scenes.size(), length));   // (B, L, D)
            }
        }
    }

    private void train(String stage, int number, Texts texts, ImagenFolder folder, Runnable onSave) {
        Recipe.Loop settings = recipe.loops().get(number);
        int b = settings.batch();
        ConfigJson config = ConfigJson.read(folder.path().resolve(stage).resolve("config.json"));
        try (Rng init = new Rng(recipe.seed() + 1 + number); Weights weights = Weights.init(init, Device.CPU)) {
            ImagenNetwork network = ImagenNetwork.of(weights, config);
            try (Loop loop = new Loop(run, stage, settings, recipe.seed() << 32, weights.parameters());
                    var batches = new SceneBatches<>(world::scene, b, number * SCENES + loop.done() * b);
                    Shards shards = new Shards(run, settings)) {
                loop.run((step, rng) -> {
                    Batch batch = batch(config, number, batches.next(), texts, rng);
                    return Loop.Taken.of(shards.backward(b, (from, count) -> batch.part(from, count).loss(network)));
                }, () -> folder.write(stage, loop.average()), done -> onSave.run());
            }
        }
    }

    /** What a network sees and should answer: B examples. */
    private record Batch(Tensor in, Tensor t, Tensor level, Tensor text, Tensor target) {
        Batch part(int from, int count) {
            return new Batch(in.narrow(0, from, count), t.narrow(0, from, count), level.narrow(0, from, count), text.narrow(0, from, count),
                    target.narrow(0, from, count));
        }

        Tensor loss(ImagenNetwork network) {
            return network.forward(in, t, level, text).sub(target).square().mean();
        }
    }

    private Batch batch(ConfigJson config, int number, List<Scene> scenes, Texts texts, Rng rng) {
        int b = scenes.size();
        Tensor full = SceneBatches.pictures(recipe.world().size(), scenes.stream().map(Scene::pixels).toList());
        Tensor x0 = shrunk(full, config.integer("size"));                                                    // (B, 3, S, S)
        Tensor t = rng.rand(b), level = rng.rand(b), kept = rng.rand(b, 1, 1).lt(recipe.textDropout()).to(DType.F32).neg().add(1);
        Tensor text = texts.states(scenes).mul(kept);
        List<Tensor> low = List.of();
        if (number > 0) {
            Tensor[] parts = parts(x0, shrunk(full, size(number - 1)), recipe.supers().get(number - 1).crop(), rng);
            x0 = parts[0];
            Tensor enlarged = Functional.upsampleBilinear(parts[1], x0.size(2), x0.size(3));
            low = List.of(noisy(enlarged, rng.randn(enlarged.shape()), ContinuousTime.COSINE, level));  // conditioning augmentation
        }
        ContinuousTime time = ContinuousTime.named(config.text("noise_schedule", "cosine"));
        Tensor eps = rng.randn(x0.shape()), x = noisy(x0, eps, time, t);
        boolean velocity = config.text("prediction", "epsilon").equals("v");
        return new Batch(low.isEmpty() ? x : Tensor.cat(1, x, low.get(0)), t, level, text, velocity ? noisy(eps, x0.neg(), time, t) : eps);
    }

    /** Pixels of a side of a stage's pictures. */
    private int size(int number) {
        return number == 0 ? recipe.base().size() : recipe.supers().get(number - 1).size();
    }

    /** The same random part of {@code side} pixels of each picture, and what it was enlarged from: (B, 3, C, C) and (B, 3, c, c). */
    static Tensor[] parts(Tensor large, Tensor small, int side, Rng rng) {
        long times = large.size(2) / small.size(2), most = small.size(2) - side / times + 1, count = large.size(0);
        Tensor[] larger = new Tensor[(int) count], smaller = new Tensor[larger.length];
        double[] places = rng.rand(2 * count).toDoubles();
        for (int i = 0; i < count; i++) {
            long y = (long) (places[2 * i] * most), x = (long) (places[2 * i + 1] * most);
            larger[i] = large.narrow(0, i, 1).narrow(2, y * times, side).narrow(3, x * times, side);
            smaller[i] = small.narrow(0, i, 1).narrow(2, y, side / times).narrow(3, x, side / times);
        }
        return new Tensor[] {Tensor.cat(0, larger), Tensor.cat(0, smaller)};
    }

    private static Tensor shrunk(Tensor full, int size) {
        long times = full.size(2) / size;
        return times == 1 ? full : Functional.avgPool2d(full, times);
    }

    private static Tensor noisy(Tensor x0, Tensor eps, ContinuousTime time, Tensor t) {
        return x0.mul(at(time, t, NoiseLevel::alpha)).add(eps.mul(at(time, t, NoiseLevel::sigma)));
    }

    private static Tensor at(ContinuousTime time, Tensor t, ToDoubleFunction<NoiseLevel> of) {
        double[] values = Arrays.stream(t.toDoubles()).map(each -> of.applyAsDouble(time.level(each))).toArray();
        return Tensor.of(values, values.length, 1, 1, 1).to(DType.F32);
    }
}
