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
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.T5Tokenizer;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.World;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;

/**
 * Trains Imagen's stages one after the other (Saharia et al. 2022, 2 and appendix F): at a random time the noise or the velocity is
 * predicted, some examples without text; stages that enlarge see the small picture under noise of a random level. The text encoder is
 * frozen. A run that was cut off goes on where it was.
 */
public final class ImagenTrainer {
    private final ImagenRecipe recipe;
    private final Path run;
    private final Progress progress;
    private final World world;

    public ImagenTrainer(ImagenRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = run;
        this.progress = progress;
        world = new World(recipe.world(), recipe.clipart().isEmpty() ? ClipArt.bundled() : ClipArt.load(Path.of(recipe.clipart())));
    }

    /** @return the model folder, {@code run/model}; {@code onSave} gets it at each checkpoint of the last stage */
    public Path train(Consumer<Path> onSave) {
        ImagenFolder folder = new ImagenFolder(run.resolve("model"));
        int vocabulary = folder.writeTokenizer(LongStream.range(0, recipe.text().captions()).mapToObj(seed -> world.scene(seed).caption()));
        folder.writeConfigs(recipe, vocabulary);
        T5Tokenizer tokenizer = T5Tokenizer.load(folder.path().resolve("tokenizer"));
        if (!Files.exists(folder.weights("text_encoder"))) {
            try (Rng rng = new Rng(recipe.seed()); Weights fresh = Weights.init(rng, Device.CPU)) {
                new T5Encoder(fresh, recipe.text().config(vocabulary));
                folder.write("text_encoder", fresh.parameters());
            }
        }
        try (SafeTensors file = SafeTensors.open(folder.weights("text_encoder")); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            T5Encoder text = weights.build(w -> new T5Encoder(w, recipe.text().config(vocabulary)), T5Encoder::isExtra);
            List<String> stages = List.copyOf(recipe.stages().keySet());
            for (int i = 0; i < stages.size(); i++) {
                boolean last = i == stages.size() - 1;
                train(stages.get(i), i, new Texts(tokenizer, text), folder, () -> {
                    if (last) {
                        SampleSheet.draw(folder.path(), recipe.prompts(), run.resolve("samples.png"));
                        onSave.accept(folder.path());
                    }
                });
            }
        }
        return folder.path();
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
        Recipe.Loop loop = recipe.loop();
        Checkpoint checkpoint = new Checkpoint(run.resolve(stage + ".safetensors"));
        Path losses = run.resolve(stage + ".csv");
        ConfigJson config = ConfigJson.read(folder.path().resolve(stage).resolve("config.json"));
        try (Rng init = new Rng(recipe.seed() + 1 + number); Weights weights = Weights.init(init, Device.CPU);
                Curve curve = new Curve(losses, checkpoint.steps(), "step", "loss", "gradient", "rate")) {
            ImagenNetwork network = ImagenNetwork.of(weights, config);
            Map<String, Tensor> parameters = weights.parameters();
            try (AdamW optimizer = new AdamW(parameters, loop.decay(), loop.clip()); Ema ema = new Ema(parameters, loop.ema())) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>(optimizer.moments());
                state.put("weights", parameters);
                state.put("ema", ema.average());
                for (long step = checkpoint.restore(state); step < loop.steps(); step++) {
                    // A stream of its own for each step: a resumed run draws what an unbroken one would have drawn.
                    try (Rng rng = new Rng((recipe.seed() << 32) + step); Scope scope = new Scope()) {
                        List<Scene> scenes = scenes(number, step);
                        Tensor loss = loss(network, config, pictures(scenes), texts.states(scenes), rng);
                        loss.backward();
                        double gradient = optimizer.step(step + 1, loop.schedule().at(step));
                        ema.update(step);
                        curve.add(step, loss.item(), gradient, loop.schedule().at(step));
                        progress.step(stage, step + 1, loop.steps(), loss.item());
                    }
                    if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                        folder.write(stage, ema.average());
                        checkpoint.save(step + 1, state);
                        CurveChart.draw(losses, run.resolve(stage + ".png"));
                        onSave.run();
                    }
                }
            }
        }
    }

    private List<Scene> scenes(int number, long step) {
        int batch = recipe.loop().batch();
        long first = (number * recipe.loop().steps() + step) * batch;
        return LongStream.range(first, first + batch).mapToObj(world::scene).toList();
    }

    /** (B, 3, S, S) in [-1, 1]. */
    private static Tensor pictures(List<Scene> scenes) {
        int size = scenes.get(0).size(), bytes = size * size * 3;
        float[] values = new float[scenes.size() * bytes];
        for (int i = 0; i < scenes.size(); i++) {
            byte[] pixels = scenes.get(i).pixels();
            for (int j = 0; j < bytes; j++) {
                values[i * bytes + j] = (pixels[j] & 255) / 127.5f - 1;
            }
        }
        return Tensor.of(values, scenes.size(), size, size, 3).permute(0, 3, 1, 2);
    }

    private Tensor loss(ImagenNetwork network, ConfigJson config, Tensor full, Tensor states, Rng rng) {
        int size = config.integer("size"), b = (int) full.size(0);
        ContinuousTime time = ContinuousTime.named(config.text("noise_schedule", "cosine"));
        Tensor x0 = shrunk(full, size), eps = rng.randn(x0.shape()), t = rng.rand(b), level = rng.rand(b);
        Tensor a = at(time, t, NoiseLevel::alpha), s = at(time, t, NoiseLevel::sigma);                       // (B, 1, 1, 1)
        Tensor noisy = x0.mul(a).add(eps.mul(s));
        Tensor kept = rng.rand(b, 1, 1).lt(recipe.textDropout()).to(DType.F32).neg().add(1);
        Tensor in = noisy;
        if (ImagenNetwork.enlarges(config)) {
            Tensor low = Functional.upsampleBilinear(shrunk(full, before(size)), size, size), noise = rng.randn(low.shape());
            low = low.mul(at(ContinuousTime.COSINE, level, NoiseLevel::alpha)).add(noise.mul(at(ContinuousTime.COSINE, level,
                    NoiseLevel::sigma)));
            in = Tensor.cat(1, noisy, low);                                                                  // (B, 6, S, S)
        }
        Tensor target = config.text("prediction", "epsilon").equals("v") ? eps.mul(a).sub(x0.mul(s)) : eps;
        return network.forward(in, t, level, states.mul(kept)).sub(target).square().mean();
    }

    private int before(int size) {
        return recipe.supers().stream().mapToInt(ImagenRecipe.Super::size).filter(each -> each < size).max().orElse(recipe.base().size());
    }

    private static Tensor shrunk(Tensor full, int size) {
        long times = full.size(2) / size;
        return times == 1 ? full : Functional.avgPool2d(full, times);
    }

    private static Tensor at(ContinuousTime time, Tensor t, ToDoubleFunction<NoiseLevel> of) {
        double[] values = Arrays.stream(t.toDoubles()).map(each -> of.applyAsDouble(time.level(each))).toArray();
        return Tensor.of(values, values.length, 1, 1, 1).to(DType.F32);
    }
}
