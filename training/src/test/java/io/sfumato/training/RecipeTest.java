package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipeTest {
    /** Seconds of training: 16 pixels, ten steps a stage. */
    static final String TINY = """
            name: tiny
            seed: 3
            data:
              kind: scenes
              scenes: {clipart: ../bundled/src/main/resources/io/sfumato/bundled/clipart, size: 16, pairs: 0.3, coloured: 0.6,
                namedBackgrounds: 0.2, nouns: [apple, duck, house, tree]}
            autoencoder:
              widths: [4, 8]
              layers: 1
              groups: 4
              latentChannels: 4
              kl: 0.0003
              keeps: true
              loop: {steps: 10, batch: 4, rate: 0.001, warmup: 2, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 4}
            text: {kind: clip, tokenizer: {tokens: 540, length: 12, captions: 100}, width: 8, hidden: 16, layers: 1, heads: 2}
            unet: {widths: [8, 16], layers: 1, attends: [false, true], heads: [2, 2], groups: 4}
            diffusion:
              prediction: v_prediction
              zeroTerminalSnr: true
              captionDropout: 0.1
              minSnr: 0
              times: uniform
              scenes: 64
              loop: {steps: 10, batch: 4, rate: 0.001, warmup: 2, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 4}
            upscaler: []
            prompts: [a duck, a red apple left of a house]
            """;

    @TempDir
    Path folder;

    static Recipe tiny(Path folder, String text) {
        try {
            return Recipe.read(Files.writeString(folder.resolve("tiny.yaml"), text));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void everyRecipeOfTheProjectIsRead() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../recipes"))) {
            List<Path> recipes = files.filter(f -> f.toString().endsWith(".yaml")).toList();
            assertThat(recipes).isNotEmpty();
            recipes.forEach(f -> assertThat(TokenRecipe.matches(f) ? TokenRecipe.read(f).name() : Recipe.read(f).name())
                    .isEqualTo(f.getFileName().toString().replace(".yaml", "")));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            size: 16           | size: big         | key 'data.scenes.size' is big, where a whole number is wanted
            size: 16           | size: 16.5        | key 'data.scenes.size' is 16.5, where a whole number is wanted
            size: 16           | size:             | the key 'data.scenes.size' has no value
            size: 16           | size: 12          | in 'data.scenes': Scenes are 16 to 256 pixels wide, got 12
            size: 16           | size: 20          | in 'data.scenes': size is 20, where a multiple of 8 is wanted
            pairs: 0.3         | pairs: 2          | in 'data.scenes': The share 'pairs' of scenes must be 0 to 1, got 2.0
            pairs: 0.3         | pairs: 0.3, pears: 1 | unknown key 'data.scenes.pears'; known here: *
            tokens: 540        | tokens: 5         | in 'text.tokenizer': a vocabulary of 5 tokens is too small; *
            captions: 100      | captions: 0       | in 'text.tokenizer': captions is 0, where 1 or more is wanted
            widths: [4, 8]     | widths: [4, 6]    | in 'autoencoder': widths is [4, 6], where a list of multiples of groups 4 is wanted
            widths: [4, 8]     | widths: []        | in 'autoencoder': widths is [], where a list of multiples of groups 4 is wanted
            widths: [4, 8]     | widths: [4, 4, 4, 4, 4, 4] | data.size is 16, where a multiple of 32 for 6 levels of widths is wanted
            kl: 0.0003         | kl: -1            | in 'autoencoder': kl is -1, where 0 or more is wanted
            kind: scenes       | kind: seens       | key 'data.kind' is seens; known here: [scenes, clipart-world]
            kind: clip,        |                   | the key 'text.kind' is missing; known here: [clip, minilm]
            minSnr: 0          | minSnr: -1        | in 'diffusion': minSnr is -1, where 0 or more is wanted
            hidden: 16, layers: 1 | hidden: 16, layers: 0 | in 'text': layers is 0, where 1 or more is wanted
            width: 8,          | width: 9,         | in 'text': width is 9, where a multiple of heads 2 is wanted
            [false, true]      | [true]            | in 'unet': attends is [true], where one for each of 2 widths is wanted
            heads: [2, 2]      | heads: [2, 3]     | in 'unet': heads is [2, 3], where a divisor of each of widths [8, 16] is wanted
            v_prediction       | velocity          | in 'diffusion': prediction is velocity, where epsilon or v_prediction is wanted
            zeroTerminalSnr: true | zeroTerminalSnr: maybe | key 'diffusion.zeroTerminalSnr' is maybe, where true or false is wanted
            captionDropout: 0.1 | captionDropout: 1.1 | in 'diffusion': captionDropout is 1.1, where 0 to 1 is wanted
            captionDropout: 0.1 |                  | the key 'diffusion.captionDropout' is missing
            batch: 4           | batch: 0          | in 'autoencoder.loop': batch is 0, where 1 or more is wanted
            ema: 0.9           | ema: 1            | in 'autoencoder.loop': ema is 1.0, where 0 or more and less than 1 is wanted
            clip: 1.0  | clip: 1.0, accumulate: 5 | in 'autoencoder.loop': accumulate is 5, where 1 to the 4 of a batch is wanted
            clip: 1.0  | clip: 1.0, accumulate: half | key 'autoencoder.loop.accumulate' is half, where a whole number is wanted
            clip: 1.0  | clip: 1.0, optimizer: adam | in 'autoencoder.loop': optimizer is adam, where default, adamw or adafactor is wanted
            clip: 1.0  | clip: 1.0, schedule: step | in 'autoencoder.loop': schedule is step, where cosine, linear or constant is wanted
            times: uniform     | times: normal     | in 'diffusion': times is normal, where uniform or logit-normal is wanted
            , saveEvery: 4     | , saveEvery: 0    | in 'autoencoder.loop': saveEvery is 0, where 1 or more is wanted
            [a duck, a red apple left of a house] | [] | prompts is [], where at least one prompt is wanted
            seed: 3            | seed: 3: 4        | no YAML: line 2: mapping values are not allowed here
            name: tiny         | name: [tiny]      | key 'name': Cannot deserialize *
            """)
    void aWrongKeyOrValueIsNamedInOneLine(String right, String wrong, String message) {
        assertThat(TINY).contains(right);
        String text = TINY.replaceFirst(Pattern.quote(right), wrong == null ? "" : wrong);
        assertThatIllegalArgumentException().isThrownBy(() -> tiny(folder, text)).satisfies(e -> {
            String expected = folder.resolve("tiny.yaml") + ": " + message;
            if (expected.endsWith("*")) {
                assertThat(e.getMessage()).startsWith(expected.substring(0, expected.length() - 1)).hasSizeGreaterThan(expected.length());
            } else {
                assertThat(e).hasMessage(expected);
            }
            assertThat(e.getMessage()).doesNotContain("\n");
        });
    }

    @Test
    void keysThatAreLeftOutHaveAValue() {
        Recipe.Loop usual = tiny(folder, TINY).diffusion().loop();
        assertThat(List.of(usual.accumulate(), usual.optimizer(), usual.schedule())).containsExactly(1, "default", "cosine");
        Recipe.Diffusion other = tiny(folder, TINY.replace("uniform", "logit-normal").replace("saveEvery: 4",
                "saveEvery: 4, accumulate: 2, optimizer: adafactor, schedule: linear")).diffusion();
        assertThat(List.of(other.loop().accumulate(), other.loop().optimizer(), other.loop().schedule(), other.times()))
                .containsExactly(2, "adafactor", "linear", "logit-normal");
        assertThat(other.loop().rates().shape()).isEqualTo(Schedule.Shape.LINEAR);
    }

    @Test
    void minSnrWeighsAsHangEtAl() {
        Recipe.Diffusion d = tiny(folder, TINY.replace("minSnr: 0", "minSnr: 5")).diffusion();
        // v-prediction: min(snr, 5) / (snr + 1), where snr is alpha / (1 - alpha).
        assertThat(d.weight(0.5)).isEqualTo(0.5);
        assertThat(d.weight(0.9)).isCloseTo(5 / 10.0, within(1e-9));
        assertThat(d.weight(0)).isZero();
        assertThat(tiny(folder, TINY).diffusion().weight(0.9)).isEqualTo(1);
    }

    @Test
    void aMissingFileIsNamed() {
        Path none = folder.resolve("none.yaml");
        assertThatIllegalArgumentException().isThrownBy(() -> Recipe.read(none)).withMessage(none + ": there is no such recipe");
    }
}
