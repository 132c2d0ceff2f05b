package io.sfumato.training;

import com.fasterxml.jackson.annotation.JacksonInject;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.OptBoolean;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.InjectableValues;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.InvalidTypeIdException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.sfumato.families.MiniLm;
import io.sfumato.models.upscaler.Upscaler;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.BpeTrainer;
import io.sfumato.text.ClipTokenizer;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import io.sfumato.training.world.WorldConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * How to train a small latent diffusion model, as a YAML file says it. Every key is wanted but a few that have a value of their own; an
 * unknown one is an error.
 *
 * @param seed      of weights, noise and the order of scenes
 * @param upscaler  none, or one that makes pictures larger
 * @param prompts   what the sample grids draw
 */
public record Recipe(String name, long seed, Data data, Autoencoder autoencoder, Text text, UNet unet, Diffusion diffusion,
                     List<Enlargement> upscaler, List<String> prompts) {
    /** Keys that may be left out, and what they are then. */
    private static final Map<String, Object> LEFT_OUT = Map.of("times", "uniform", "accumulate", 1, "optimizer", "default",
            "schedule", "cosine", "words", "clip", "captionsAlone", List.of(), "decoderAlone", List.of(), "textLayers", MiniLm.LAYERS);
    private static final Map<Class<?>, List<String>> KINDS = Map.of(Data.class, List.of("scenes", "clipart-world"),
            Text.class, List.of("clip", "minilm"));

    public Recipe {
        require(upscaler.size() <= 1, "upscaler", upscaler, "a list of none or one");
        require(!prompts.isEmpty(), "prompts", prompts, "at least one prompt");
        int factor = 1 << (autoencoder.widths.length - 1);
        require(data.size() % factor == 0, "data.size", data.size(), "a multiple of " + factor + " for "
                + autoencoder.widths.length + " levels of widths");
    }

    /** @throws IllegalArgumentException naming the loop whose batches {@code processes} cannot share evenly */
    public void requireSharedBy(int processes) {
        autoencoder.loop.requireSharedBy(processes, "autoencoder.loop");
        diffusion.loop.requireSharedBy(processes, "diffusion.loop");
        upscaler.forEach(larger -> larger.loop.requireSharedBy(processes, "upscaler.loop"));
    }

    private static void require(boolean holds, String key, Object value, String wanted) {
        if (!holds) {
            throw new IllegalArgumentException(key + " is " + value + ", where " + wanted + " is wanted");
        }
    }

    private static void atLeast(double least, String key, double value) {
        require(value >= least, key, number(value), number(least) + " or more");
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }

    /** Levels of a network: at least one, each a positive multiple of {@code groups} wide. */
    private static void levels(int[] widths, int groups) {
        atLeast(1, "groups", groups);
        require(widths.length > 0 && Arrays.stream(widths).allMatch(w -> w > 0 && w % groups == 0), "widths", Arrays.toString(widths),
                "a list of multiples of groups " + groups);
    }

    /** What is trained on, by its {@code kind}. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
    @JsonSubTypes({@JsonSubTypes.Type(name = "scenes", value = FirstScenes.class),
        @JsonSubTypes.Type(name = "clipart-world", value = ClipArtWorld.class)})
    public sealed interface Data permits FirstScenes, ClipArtWorld {
        /** Width and height of the pictures. */
        int size();

        /** What the captions name; empty means all that there is. */
        List<String> nouns();

        /** The pictures, {@code scale} times larger. */
        Example.Source open(int scale);
    }

    /** Simple scenes of clip art. */
    public record FirstScenes(World scenes) implements Data {
        @Override
        public int size() {
            return scenes.size;
        }

        @Override
        public List<String> nouns() {
            return scenes.nouns;
        }

        @Override
        public Example.Source open(int scale) {
            Scenes.Config c = new Scenes.Config(scale * scenes.size, scenes.pairs, scenes.coloured, scenes.namedBackgrounds, scenes.nouns);
            Scenes drawn = new Scenes(c, Recipe.art(scenes.clipart));
            return seed -> {
                Scene scene = drawn.scene(seed);
                return new Example(scene.size(), scene.pixels(), scene.caption());
            };
        }
    }

    /** What simple scenes are drawn from; {@code clipart} is a folder, or empty for the bundled art; no {@code nouns} means all. */
    public record World(String clipart, int size, double pairs, double coloured, double namedBackgrounds, List<String> nouns) {
        public World {
            new Scenes.Config(size, pairs, coloured, namedBackgrounds, nouns);
            require(size % 8 == 0, "size", size, "a multiple of 8");
        }

        /** What the scenes of this world are drawn from. */
        public Scenes.Config config() {
            return new Scenes.Config(size, pairs, coloured, namedBackgrounds, nouns);
        }
    }

    /** Clip-art world; {@code clipart} is a folder, or empty for the bundled art. */
    public record ClipArtWorld(String clipart, WorldConfig world) implements Data {
        public ClipArtWorld {
            require(world.size() % 8 == 0, "world.size", world.size(), "a multiple of 8");
        }

        @Override
        public int size() {
            return world.size();
        }

        @Override
        public List<String> nouns() {
            return world.nouns();
        }

        @Override
        public Example.Source open(int scale) {
            var scenes = new io.sfumato.training.world.World(new WorldConfig(scale * world.size(), world.nouns(), world.looks(), world.kinds(),
                    world.counts(), world.things(), world.coloured(), world.sized(), world.placed(), world.backgrounds(), world.styles(), world.styled(),
                    world.narrated()), Recipe.art(clipart));
            return seed -> {
                io.sfumato.training.world.Scene scene = scenes.scene(seed);
                return new Example(scene.size(), scene.pixels(), scene.caption());
            };
        }
    }

    private static ClipArt art(String folder) {
        return folder.isEmpty() ? ClipArt.bundled() : ClipArt.load(Path.of(folder));
    }

    /**
     * @param kl    weight of the mean divergence per latent number against the mean absolute error per pixel value
     * @param keeps whether a run that begins with a model keeps its autoencoder as it is; else it is trained on
     */
    public record Autoencoder(int[] widths, int layers, int groups, int latentChannels, double kl, boolean keeps, Loop loop) {
        public Autoencoder {
            levels(widths, groups);
            atLeast(1, "layers", layers);
            atLeast(1, "latentChannels", latentChannels);
            atLeast(0, "kl", kl);
        }
    }

    /** What reads the captions, by its {@code kind}; {@code width} is that of the states that the U-Net sees. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
    @JsonSubTypes({@JsonSubTypes.Type(name = "clip", value = Clip.class), @JsonSubTypes.Type(name = "minilm", value = Frozen.class)})
    public sealed interface Text permits Clip, Frozen {
        int width();
    }

    /**
     * all-MiniLM-L6-v2 as it is, for {@code tokens} tokens of a caption; the U-Net learns a projection of its states to {@code width}.
     *
     * @param layers how many of its layers a caption goes through, all six or fewer
     */
    public record Frozen(int tokens, int width, @JacksonInject(value = "textLayers", useInput = OptBoolean.TRUE) int layers)
            implements Text {
        public Frozen {
            require(layers >= 0 && layers <= MiniLm.LAYERS, "layers", layers, "0 to " + MiniLm.LAYERS);
            require(tokens >= 3 && tokens <= 512, "tokens", tokens, "3 to 512");
            atLeast(1, "width", width);
        }
    }

    /** @param captions how many captions the vocabulary is learnt from */
    public record Tokenizer(int tokens, int length, int captions) {
        public Tokenizer {
            new BpeTrainer(tokens, length);
            atLeast(1, "captions", captions);
        }

        /** The tokenizer in {@code folder}; one of the examples' captions is written there first if there is none. */
        ClipTokenizer learnt(Example.Source examples, Path folder) {
            if (!Files.exists(folder.resolve("vocab.json"))) {
                ConfigFiles.create(folder);
                new BpeTrainer(tokens, length).train(Recipe.captions(examples, captions), folder);
            }
            return ClipTokenizer.load(folder);
        }
    }

    /** The captions of the first {@code n} examples. */
    static Stream<String> captions(Example.Source examples, long n) {
        return LongStream.range(0, n).mapToObj(seed -> examples.example(seed).caption());
    }

    /** An encoder trained along with the U-Net. */
    public record Clip(Tokenizer tokenizer, int width, int hidden, int layers, int heads) implements Text {
        public Clip {
            atLeast(1, "heads", heads);
            require(width > 0 && width % heads == 0, "width", width, "a multiple of heads " + heads);
            atLeast(1, "hidden", hidden);
            atLeast(1, "layers", layers);
        }
    }

    /** @param attends which levels have Transformers */
    public record UNet(int[] widths, int layers, boolean[] attends, int[] heads, int groups) {
        public UNet {
            levels(widths, groups);
            atLeast(1, "layers", layers);
            require(attends.length == widths.length, "attends", Arrays.toString(attends), "one for each of " + widths.length + " widths");
            boolean divide = heads.length == widths.length
                    && IntStream.range(0, heads.length).allMatch(i -> heads[i] > 0 && widths[i] % heads[i] == 0);
            require(divide, "heads", Arrays.toString(heads), "a divisor of each of widths " + Arrays.toString(widths));
        }
    }

    /**
     * @param prediction     epsilon or v_prediction
     * @param captionDropout share of captions replaced by the empty one, for guidance
     * @param minSnr         signal-to-noise ratio from which on a time weighs less (Hang et al. 2023), or 0 for even weights
     * @param scenes         how many scenes are encoded once and drawn from
     * @param times          uniform, or logit-normal: times in the middle are drawn more often (Esser et al. 2024, 3.1)
     */
    public record Diffusion(String prediction, boolean zeroTerminalSnr, double captionDropout, double minSnr, int scenes, Loop loop,
                            @JacksonInject(value = "times", useInput = OptBoolean.TRUE) String times) {
        public Diffusion {
            require(List.of("epsilon", "v_prediction").contains(prediction), "prediction", prediction, "epsilon or v_prediction");
            require(captionDropout >= 0 && captionDropout <= 1, "captionDropout", captionDropout, "0 to 1");
            atLeast(0, "minSnr", minSnr);
            atLeast(1, "scenes", scenes);
            require(List.of("uniform", "logit-normal").contains(times), "times", times, "uniform or logit-normal");
        }

        /** The weight of a squared error where {@code alpha} is left of the picture's variance. */
        double weight(double alpha) {
            double snr = alpha / (1 - alpha);
            return minSnr == 0 ? 1 : Math.min(snr, minSnr) / (prediction.equals("epsilon") ? snr : snr + 1);
        }
    }

    /**
     * A network that makes pictures larger; it learns from scenes drawn at that size.
     *
     * @param noise most noise on the latents that it learns to mend, against their spread
     */
    public record Enlargement(int scale, int width, int blocks, double noise, Loop loop) {
        public Enlargement {
            new Upscaler.Config(3, width, blocks, scale);
            atLeast(0, "noise", noise);
        }

        Upscaler.Config config() {
            return new Upscaler.Config(3, width, blocks, scale);
        }
    }

    /**
     * One training loop: {@code saveEvery} steps a checkpoint and a sample sheet.
     *
     * @param accumulate parts that a batch is worked through in, one after the other: less memory, the same gradients
     * @param optimizer  adamw, adafactor, or default: what the stage was made for
     * @param schedule   of the rate after its warm-up: cosine or linear, both down to a tenth, or constant
     */
    public record Loop(long steps, int batch, double rate, long warmup, double decay, double clip, double ema, long saveEvery,
                       @JacksonInject(value = "accumulate", useInput = OptBoolean.TRUE) int accumulate,
                       @JacksonInject(value = "optimizer", useInput = OptBoolean.TRUE) String optimizer,
                       @JacksonInject(value = "schedule", useInput = OptBoolean.TRUE) String schedule) {
        private static final List<String> SCHEDULES = Arrays.stream(Schedule.Shape.values()).map(s -> s.name().toLowerCase(Locale.ROOT))
                .toList();

        public Loop {
            atLeast(1, "steps", steps);
            atLeast(1, "batch", batch);
            require(rate > 0, "rate", rate, "more than 0");
            atLeast(0, "warmup", warmup);
            atLeast(0, "decay", decay);
            require(clip > 0, "clip", clip, "more than 0");
            require(ema >= 0 && ema < 1, "ema", ema, "0 or more and less than 1");
            atLeast(1, "saveEvery", saveEvery);
            require(accumulate >= 1 && accumulate <= batch, "accumulate", accumulate, "1 to the " + batch + " of a batch");
            require(List.of("default", "adamw", "adafactor").contains(optimizer), "optimizer", optimizer, "default, adamw or adafactor");
            require(SCHEDULES.contains(schedule), "schedule", schedule, "cosine, linear or constant");
        }

        /** The rate of each step. */
        Schedule rates() {
            return new Schedule(rate, warmup, steps, Schedule.Shape.valueOf(schedule.toUpperCase(Locale.ROOT)));
        }

        /** What trains {@code parameters}: the recipe's optimizer, or {@code usual} by default. */
        Optimizer optimizer(Map<String, Tensor> parameters, String usual) {
            return (optimizer.equals("default") ? usual : optimizer).equals("adafactor") ? new Adafactor(parameters, decay, clip)
                    : new AdamW(parameters, decay, clip);
        }

        /** @throws IllegalArgumentException where {@code processes} cannot have equal shares of a batch, in the parts that each accumulates */
        void requireSharedBy(int processes, String key) {
            require(batch % processes == 0 && batch / processes >= accumulate, key + ".batch", batch, "a multiple of " + processes
                    + " (for " + processes + " processes" + (accumulate == 1 ? ")" : " that accumulate " + accumulate + " parts each)"));
        }

        /** A stage that cannot work through a batch in parts says {@code why}. */
        void requireWholeBatches(String why) {
            require(accumulate == 1, "loop.accumulate", accumulate, "1 (" + why + ")");
        }
    }

    /**
     * Reads a recipe.
     *
     * @throws IllegalArgumentException naming the file and the key that is wrong
     */
    public static Recipe read(Path file) {
        return read(file, Recipe.class);
    }

    /** Whether a recipe has a line that tells its kind; a file that is not there has none. */
    static boolean hasLine(Path file, Predicate<String> telling) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.anyMatch(telling);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** As {@link #read(Path)}, of another kind of recipe. */
    static <R> R read(Path file, Class<R> kind) {
        var yaml = JsonMapper.builder(new YAMLFactory())
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES, DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES,
                        DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .injectableValues(new InjectableValues.Std(LEFT_OUT)).build();
        try {
            return yaml.readValue(Files.readString(file), kind);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(file + ": there is no such recipe", e);
        } catch (JsonMappingException e) {
            throw new IllegalArgumentException(file + ": " + problem(e), e);
        } catch (JsonProcessingException e) {
            String where = "line " + e.getLocation().getLineNr();
            throw new IllegalArgumentException(file + ": no YAML: " + where + ": " + firstLine(e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static String problem(JsonMappingException e) {
        String key = e.getPath().stream().map(r -> r.getFieldName() == null ? String.valueOf(r.getIndex()) : r.getFieldName())
                .collect(Collectors.joining("."));
        if (e instanceof UnrecognizedPropertyException unknown) {
            return "unknown key '" + key + "'; known here: " + unknown.getKnownPropertyIds();
        }
        if (e instanceof ValueInstantiationException && e.getCause() != null) {
            return (key.isEmpty() ? "" : "in '" + key + "': ") + e.getCause().getMessage();
        }
        if (e instanceof InvalidFormatException bad) {
            return "key '" + key + "' is " + bad.getValue() + ", where " + kind(bad.getTargetType()) + " is wanted";
        }
        if (e instanceof InvalidTypeIdException kind) {
            String id = kind.getTypeId();
            return (id == null ? "the key '" + key + ".kind' is missing" : "key '" + key + ".kind' is " + id) + "; known here: "
                    + KINDS.get(kind.getBaseType().getRawClass());
        }
        String reason = firstLine(e.getOriginalMessage());
        if (reason.startsWith("Missing creator property")) {
            return "the key '" + key + "' is missing";
        }
        if (reason.startsWith("Cannot map `null`") || reason.startsWith("Null value for creator property")) {
            return "the key '" + key + "' has no value";
        }
        return (key.isEmpty() ? "" : "key '" + key + "': ") + reason;
    }

    private static String kind(Class<?> type) {
        return type == boolean.class ? "true or false" : type == double.class ? "a number" : "a whole number";
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }
}
