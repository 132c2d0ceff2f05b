package io.sfumato.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.sfumato.training.scenes.Scenes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * How to train a small latent diffusion model, as a YAML file says it. Every key is wanted; an unknown one is an error.
 *
 * @param seed      of weights, noise and the order of scenes
 * @param prompts   what the sample grids draw
 */
public record Recipe(String name, long seed, World scenes, Tokenizer tokenizer, Autoencoder autoencoder, Text text, UNet unet,
                     Diffusion diffusion, List<String> prompts) {
    /** The clip-art world; {@code clipart} is a folder, or empty for the bundled art; no {@code nouns} means all. */
    public record World(String clipart, int size, double pairs, double coloured, double namedBackgrounds, List<String> nouns) {
        /** What the scenes of this world are drawn from. */
        public Scenes.Config config() {
            return new Scenes.Config(size, pairs, coloured, namedBackgrounds, nouns);
        }
    }

    public record Tokenizer(int tokens, int length, int captions) {
    }

    /** @param kl weight of the mean divergence per latent number against the mean absolute error per pixel value */
    public record Autoencoder(int[] widths, int layers, int groups, int latentChannels, double kl, Loop loop) {
    }

    public record Text(int width, int hidden, int layers, int heads) {
    }

    /** @param attends which levels have Transformers */
    public record UNet(int[] widths, int layers, boolean[] attends, int[] heads, int groups) {
    }

    /**
     * @param prediction     epsilon or v_prediction
     * @param captionDropout share of captions replaced by the empty one, for guidance
     * @param scenes         how many scenes are encoded once and drawn from
     */
    public record Diffusion(String prediction, boolean zeroTerminalSnr, double captionDropout, int scenes, Loop loop) {
        public Diffusion {
            if (!List.of("epsilon", "v_prediction").contains(prediction)) {
                throw new IllegalArgumentException("prediction '" + prediction + "': epsilon or v_prediction is wanted");
            }
        }
    }

    /** One training loop: {@code saveEvery} steps a checkpoint and a sample sheet. */
    public record Loop(long steps, int batch, double rate, long warmup, double decay, double clip, double ema, long saveEvery) {
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
        var yaml = JsonMapper.builder(new YAMLFactory()).enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES).build();
        try {
            return yaml.readValue(Files.readString(file), Recipe.class);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(file + ": there is no such recipe", e);
        } catch (UnrecognizedPropertyException e) {
            throw new IllegalArgumentException(file + ": unknown key '" + e.getPropertyName() + "'; known here: " + e.getKnownPropertyIds(), e);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + ": " + e.getOriginalMessage().lines().findFirst().orElse("no YAML")
                    .replaceFirst("Missing creator property ('[^']*').*", "the key $1 is missing"), e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
