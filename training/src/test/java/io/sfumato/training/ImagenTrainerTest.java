package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.sfumato.Listener;
import io.sfumato.LiveObjects;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.diffusion.Clipping;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole small Imagen: trained, broken off and resumed, loaded, drawn with. */
class ImagenTrainerTest {
    private static final String TINY = """
            kind: imagen
            name: tiny
            seed: 3
            clipart: "../bundled/src/main/resources/io/sfumato/bundled/clipart"
            world: {size: 32, nouns: [apple, car], looks: 1, kinds: [1.0], counts: [1.0], things: 1, coloured: 0.5, sized: 0, placed: 0, \
            backgrounds: [], styles: [], styled: 0, narrated: 0}
            text: {width: 16, hidden: 16, layers: 1, heads: 2, length: 8, captions: 60}
            textDropout: 0.1
            base: {size: 8, width: 16, levels: 2, layers: 1, headWidth: 8, groups: 4, prediction: v, threshold: dynamic, loop: LOOP}
            supers:
              - {size: 16, crop: 16, width: 8, channels: [8, 16], resBlocks: [1, 1], attends: text_and_picture, heads: 2, groups: 4, \
            schedule: cosine, prediction: v, threshold: static, guidance: 2, loop: LOOP}
              - {size: 32, crop: 12, width: 8, channels: [8, 8], resBlocks: [1, 1], attends: text, heads: 2, groups: 4, \
            schedule: linear, prediction: v, threshold: dynamic, guidance: 1, loop: LOOP}
            prompts: [a red apple, a car]
            """.replace("LOOP", "{steps: 4, batch: 2, rate: 0.001, warmup: 1, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 2}");

    @TempDir
    Path temp;

    private ImagenRecipe recipe(String text) throws IOException {
        return ImagenRecipe.read(Files.writeString(temp.resolve("tiny.yaml"), text));
    }

    private Path train(String run, String stopIn) throws IOException {
        return new ImagenTrainer(recipe(TINY), temp.resolve(run), BreakingOff.in(stopIn, 3)).train(saved -> { });
    }

    @Test
    void trainsACascadeThatDrawsAndGoesOnAsIfNeverBrokenOff() throws IOException {
        Path model = train("whole", "never");
        assertThat(model.resolve("nouns.txt")).hasContent("apple\ncar\n");
        assertThatIllegalStateException().isThrownBy(() -> train("broken", "super_1")).withMessage("broken off");
        train("broken", "never");
        for (String file : List.of("base", "super_1", "super_2")) {
            String weights = "model/" + file + "/diffusion_pytorch_model.safetensors";
            assertThat(temp.resolve("broken").resolve(weights)).hasSameBinaryContentAs(temp.resolve("whole").resolve(weights));
            assertThat(Files.readAllLines(temp.resolve("whole/" + file + ".csv"))).hasSize(5);
        }
        assertThat(temp.resolve("whole/samples.png")).exists();
        draws(model);
        leavesNothing(model);
        refuses(model);
    }

    @Test
    void twoProcessesHaveTheLossesOfOne() throws Exception {
        Path one = temp.resolve("one"), two = temp.resolve("two");
        new ImagenTrainer(recipe(TINY.replace("batch: 2", "batch: 2, accumulate: 2")), one, BreakingOff.in("never", 0)).train(saved -> { });
        ImagenRecipe recipe = recipe(TINY);
        recipe.requireSharedBy(2);
        TwoProcesses.train(group -> new ImagenTrainer(recipe, two, BreakingOff.in("never", 0), group).train(saved -> { }));
        for (String stage : List.of("base", "super_1", "super_2")) {
            TwoProcesses.assertSameLosses(two, one, stage);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> recipe.requireSharedBy(3))
                .withMessage("base.loop.batch is 2, where a multiple of 3 (for 3 processes) is wanted");
    }

    private static void draws(Path folder) {
        Options o = Options.defaults().withSteps(3).withGuidance(3).withSeed(5);
        try (TextToImage model = TextToImage.load(folder.toString()); Trace trace = Trace.recording(); Scope scope = new Scope()) {
            assertThat(List.of(model.defaults().width(), model.defaults().steps(), model.defaults().noiseLevel())).containsExactly(32, 40, 200);
            List<Image> images = model.generate(List.of(Prompt.of("a red apple").withNegative("a car")), o.withCount(2), Listener.none(), trace);
            assertThat(images).hasSize(2).allMatch(image -> image.width() == 32);
            assertThat(trace.tensors()).containsKeys("stage1.latents.0", "stage1.latents.3", "stage2.latents.3", "stage3.latents.3", "image");
            assertThat(trace.tensors().get("stage2.latents.3").abs().amax(false).item()).as("static threshold").isLessThanOrEqualTo(1.0);
            Image one = model.generate(Prompt.of("a car"), o);
            assertThat(model.generate(Prompt.of("a car"), o)).isEqualTo(one);
            assertThat(model.generate(Prompt.of("a car"), o.withNoiseLevel(600))).as("the aug level matters").isNotEqualTo(one);
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of(""), o.withSize(64, 64)))
                    .withMessage("no stage makes 64x64: this model's last one makes 32x32");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of(""), o.withSampler("Euler"))).withMessage(
                    "this model has one sampler of its own, ancestral in continuous time: sampler and schedule are left to it");
        }
    }

    private static void leavesNothing(Path folder) {
        Options o = Options.defaults().withSteps(2).withGuidance(3);
        try (TextToImage model = TextToImage.load(folder.toString())) {
            model.generate(Prompt.of("a car"), o);
            long before = LiveObjects.settled();
            model.generate(Prompt.of("a car"), o);
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    private static void refuses(Path folder) throws IOException {
        Path index = folder.resolve("model_index.json");
        Files.writeString(index, "{\"_class_name\": \"ImagenPipeline\", \"stages\": [\"super_1\"], \"prompt_length\": 8}");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder.resolve("super_1/config.json") + ": key '_class_name' is EfficientUNet, where ImagenUNet, of a first stage, "
                        + "is wanted");
        Files.writeString(index, "{\"_class_name\": \"ImagenPipeline\", \"stages\": [\"base\", \"super_2\", \"super_1\"]}");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder.resolve("super_1/config.json") + ": key 'size' is 16, where more than the 32 of the stage before is wanted");
    }

    /** Dynamic thresholding keeps strongly guided pictures from saturating, static clipping does not (the paper's figure 9). */
    @Test
    void dynamicThresholdingSaturatesLess() {
        try (var scope = new Scope(); var rng = new Rng(1)) {
            Tensor x0 = rng.randn(2, 3, 16, 16).mul(3);
            double clipped = saturated(Clipping.range(1).apply(x0));
            double dynamic = saturated(Clipping.dynamic(0.995, 1e6).apply(x0));
            assertThat(clipped).isGreaterThan(0.5);
            assertThat(dynamic).isLessThan(0.02);
        }
    }

    private static double saturated(Tensor x) {
        return x.abs().lt(0.99).to(DType.F32).mean().neg().add(1).item();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            kind: imagen      | kind: dalle        | kind is dalle, where imagen is wanted
            levels: 2         | levels: 3          | base.width is 16, where a width that times 3 levels is a multiple of 32 is wanted
            headWidth: 8      | headWidth: 5       | base.headWidth is 5, where a divisor of the widths of base and text is wanted
            size: 16          | size: 12           | supers.size is 12, where a multiple of the 8 pixels of the stage before is wanted
            schedule: cosine  | schedule: sine     | supers.schedule is sine, where cosine or linear is wanted
            prediction: v     | prediction: x0     | base.prediction is x0, where epsilon or v is wanted
            attends: text,    | attends: words,    | supers.attends is words, where text or text_and_picture is wanted
            crop: 12          | crop: 11           | supers.crop is 11, where a multiple of 2 up to the 32 pixels of the stage is wanted
            world: {size: 32  | world: {size: 64   | world.size is 64, where the 32 pixels of the last stage is wanted
            textDropout: 0.1  | textDropout: 2     | textDropout is 2.0, where 0 to 1 is wanted
            """)
    void aWrongValueIsNamedInOneLine(String right, String wrong, String message) {
        assertThat(TINY).contains(right);
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replaceFirst(Pattern.quote(right), wrong)))
                .withMessage(temp.resolve("tiny.yaml") + ": " + message);
    }

    @Test
    void theRecipeOfTheRepositoryIsSound() {
        Path recipe = Path.of("../recipes/imagen/clipart-cascade.yaml");
        assertThat(ImagenRecipe.fits(recipe)).isTrue();
        assertThat(ImagenRecipe.fits(Path.of("../recipes/first-light.yaml"))).isFalse();
        assertThat(ImagenRecipe.read(recipe).world().size()).isEqualTo(128);
    }
}
