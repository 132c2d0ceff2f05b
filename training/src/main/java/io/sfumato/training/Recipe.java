package io.sfumato.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.sfumato.text.BpeTrainer;
import io.sfumato.training.scenes.Scenes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How to train a small latent diffusion model, as a YAML file says it. Every key is wanted; an unknown one is an error.
 *
 * @param seed      of weights, noise and the order of scenes
 * @param prompts   what the sample grids draw
 */
public record Recipe(String name, long seed, World scenes, Tokenizer tokenizer, Autoencoder autoencoder, Text text, UNet unet,
                     Diffusion diffusion, List<String> prompts) {
    public Recipe {
        require(!prompts.isEmpty(), "prompts", prompts, "at least one prompt");
        int factor = 1 << (autoencoder.widths.length - 1);
        require(scenes.size % factor == 0, "scenes.size", scenes.size, "a multiple of " + factor + " for "
                + autoencoder.widths.length + " levels of widths");
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

    /** The clip-art world; {@code clipart} is a folder, or empty for the bundled art; no {@code nouns} means all. */
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

    /** @param captions how many captions the vocabulary is learnt from */
    public record Tokenizer(int tokens, int length, int captions) {
        public Tokenizer {
            new BpeTrainer(tokens, length);
            atLeast(1, "captions", captions);
        }
    }

    /** @param kl weight of the mean divergence per latent number against the mean absolute error per pixel value */
    public record Autoencoder(int[] widths, int layers, int groups, int latentChannels, double kl, Loop loop) {
        public Autoencoder {
            levels(widths, groups);
            atLeast(1, "layers", layers);
            atLeast(1, "latentChannels", latentChannels);
            atLeast(0, "kl", kl);
        }
    }

    public record Text(int width, int hidden, int layers, int heads) {
        public Text {
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
     * @param scenes         how many scenes are encoded once and drawn from
     */
    public record Diffusion(String prediction, boolean zeroTerminalSnr, double captionDropout, int scenes, Loop loop) {
        public Diffusion {
            require(List.of("epsilon", "v_prediction").contains(prediction), "prediction", prediction, "epsilon or v_prediction");
            require(captionDropout >= 0 && captionDropout <= 1, "captionDropout", captionDropout, "0 to 1");
            atLeast(1, "scenes", scenes);
        }
    }

    /** One training loop: {@code saveEvery} steps a checkpoint and a sample sheet. */
    public record Loop(long steps, int batch, double rate, long warmup, double decay, double clip, double ema, long saveEvery) {
        public Loop {
            atLeast(1, "steps", steps);
            atLeast(1, "batch", batch);
            require(rate > 0, "rate", rate, "more than 0");
            atLeast(0, "warmup", warmup);
            atLeast(0, "decay", decay);
            require(clip > 0, "clip", clip, "more than 0");
            require(ema >= 0 && ema < 1, "ema", ema, "0 or more and less than 1");
            atLeast(1, "saveEvery", saveEvery);
        }

        Schedule schedule() {
            return new Schedule(rate, warmup, steps);
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

    /** As {@link #read(Path)}, of another kind of recipe. */
    static <R> R read(Path file, Class<R> kind) {
        var yaml = JsonMapper.builder(new YAMLFactory())
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES, DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES,
                        DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT).build();
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
