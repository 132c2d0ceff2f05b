package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.sfumato.LiveObjects;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Unclip;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole small unCLIP: trained over a small CLIP, broken off and resumed, loaded, drawn with. */
class UnclipTrainerTest {
    private static final String DATA = """
            data:
              kind: scenes
              scenes: {clipart: ../bundled/src/main/resources/io/sfumato/bundled/clipart, size: 16, pairs: 0, coloured: 0.9,
                namedBackgrounds: 0, nouns: [apple, duck]}
            """;
    private static final String CLIP = """
            name: clip
            seed: 1
            """ + DATA + """
            tokenizer: {tokens: 600, length: 12, captions: 30}
            picture: {patch: 4, width: 16, hidden: 32, layers: 1, heads: 2}
            text: {width: 8, hidden: 16, layers: 1, heads: 2}
            projection: 8
            loop: {steps: 40, batch: 8, rate: 0.01, warmup: 2, decay: 0.01, clip: 1.0, ema: 0.5, saveEvery: 40}
            """;
    private static final String TINY = """
            kind: unclip
            name: tiny
            seed: 3
            clip: CLIP
            """ + DATA + """
            prior: {heads: 2, headWidth: 8, layers: 1, textDropout: 0.1, scenes: 40, codes: [], loop: {steps: 150, batch: 16, rate: 0.005,
              warmup: 2, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 50}}
            decoder: {size: 8, widths: [8, 16], layers: 1, headWidth: 8, context: 12, groups: 4, imageDropout: 0.2, textDropout: 0.5,
              loop: LOOP}
            enlarger: {crop: 8, widths: [8, 16], layers: 1, headWidth: 8, groups: 4, loop: LOOP}
            prompts: [a red apple, a duck]
            """.replace("LOOP", "{steps: 4, batch: 4, rate: 0.001, warmup: 1, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 2}");

    @TempDir
    private static Path clip;

    @TempDir
    Path temp;

    @BeforeAll
    static void trainTheClip() throws IOException {
        ClipRecipe recipe = ClipRecipe.read(Files.writeString(clip.resolve("clip.yaml"), CLIP));
        new ClipTrainer(recipe, clip.resolve("run"), (stage, done, total, loss) -> { }).train(model -> { });
    }

    private UnclipRecipe recipe(String text) throws IOException {
        Path file = Files.writeString(temp.resolve("recipe.yaml"), text.replace("clip: CLIP", "clip: " + clip.resolve("run/model")));
        assertThat(UnclipRecipe.fits(file)).isTrue();
        return UnclipRecipe.read(file);
    }

    private Path train(String text, String run, String stopIn) throws IOException {
        return new UnclipTrainer(recipe(text), temp.resolve(run), BreakingOff.in(stopIn, 3)).train(saved -> { });
    }

    @Test
    void trainsAnUnclipThatDrawsAndGoesOnAsIfNeverBrokenOff() throws IOException {
        Path model = train(TINY, "whole", "never");
        List<Double> losses = Files.readAllLines(temp.resolve("whole/prior.csv")).stream().skip(1)
                .map(line -> Double.parseDouble(line.split(",")[1])).toList();
        double first = losses.subList(0, 20).stream().mapToDouble(x -> x).average().orElseThrow();
        double last = losses.subList(130, 150).stream().mapToDouble(x -> x).average().orElseThrow();
        assertThat(last).isLessThan(0.8 * first);
        for (String stage : List.of("decoder", "enlarger")) {
            assertThatIllegalStateException().isThrownBy(() -> train(TINY, "broken", stage)).withMessage("broken off");
        }
        train(TINY, "broken", "never");
        for (String component : List.of("prior", "text_proj", "decoder", "super_res_first", "super_res_last")) {
            String weights = "model/" + component + "/diffusion_pytorch_model.safetensors";
            assertThat(temp.resolve("broken").resolve(weights)).hasSameBinaryContentAs(temp.resolve("whole").resolve(weights));
        }
        assertThat(temp.resolve("whole/samples.png")).exists();
        draws(model);
    }

    @Test
    void trainsAPriorThatWritesCodes() throws IOException {
        String codes = TINY.replace("codes: []", "codes: [{components: 6, buckets: 12, agreements: 4}]");
        Path model = train(codes, "codes", "never");
        List<Double> losses = Files.readAllLines(temp.resolve("codes/prior.csv")).stream().skip(1)
                .map(line -> Double.parseDouble(line.split(",")[1])).toList();
        assertThat(losses.get(0)).isBetween(0.8 * Math.log(12), 1.5 * Math.log(12));
        assertThat(losses.subList(130, 150).stream().mapToDouble(x -> x).average().orElseThrow()).isLessThan(0.92 * Math.log(12));
        assertThat(model.resolve("prior_scheduler")).doesNotExist();
        assertThat(model.resolve("nouns.txt")).hasContent("apple\nduck\n");
        draws(model);
    }

    private static void draws(Path model) {
        Options o = Options.defaults().withSteps(3).withGuidance(2).withUnclip(new Unclip(3, 2, 2, 1));
        Prompt text = Prompt.of("a red apple"), like = Prompt.of("").with(Prompt.Role.LIKE, Image.filled(16, 16, 0xc02020));
        try (TextToImage drawer = TextToImage.load(model.toString())) {
            Image drawn = drawer.generate(text, o);
            assertThat(List.of(drawn.width(), drawn.height())).containsExactly(16, 16);
            List<Prompt> all = List.of(text, like, like.along("a red apple", "a duck", 0.4), text.toward("a duck", 0.5));
            all.forEach(prompt -> drawer.generate(prompt, o));
            long before = LiveObjects.settled();
            all.forEach(prompt -> drawer.generate(prompt, o));
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "size: 8, widths: [8, 16], layers: 1, headWidth: 8, context: 12 | size: 6, widths: [8, 16], layers: 1, headWidth: 8, context: 12 | "
                + "decoder.size is 6, where a part of the 16 pixels of data is wanted",
        "imageDropout: 0.2 | imageDropout: 1.5 | in 'decoder': decoder.imageDropout is 1.5, where 0 to 1 is wanted",
        "widths: [8, 16], layers: 1, headWidth: 8, context | widths: [8, 18], layers: 1, headWidth: 8, context | in 'decoder': "
                + "decoder.widths is [8, 18], where a list of multiples of groups 4 is wanted",
        "crop: 8 | crop: 32 | enlarger.crop is 32, where at most the 16 pixels of data is wanted",
        "crop: 8 | crop: 7 | in 'enlarger': enlarger is 7 pixels with 2 widths, where a multiple of 2 pixels is wanted",
        "heads: 2, headWidth: 8, layers: 1, textDropout | heads: 0, headWidth: 8, layers: 1, textDropout | in 'prior': prior is 0 heads of "
                + "8 in 1 layers, where 1 or more of an even width is wanted",
        "codes: [] | codes: [{components: 4, buckets: 1, agreements: 4}] | in 'prior.codes.0': codes.buckets is 1, where 2 or more is "
                + "wanted",
        "scenes: 40, codes | scenes: 1, codes | in 'prior': prior.scenes is 1, where 2 or more is wanted",
        "prompts: [a red apple, a duck] | prompts: [] | prompts is [], where at least one prompt is wanted"})
    void wrongRecipesAreNamed(String right, String wrong, String message) {
        assertThat(TINY).contains(right);
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace(right, wrong)))
                .withMessageEndingWith("recipe.yaml: " + message);
    }

    @Test
    void aClipThatDoesNotFitIsNamed() {
        Path model = clip.resolve("run/model");
        String large = TINY.replace("size: 16, pairs", "size: 24, pairs"), none = TINY.replace("clip: CLIP", "clip: nowhere");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> train(large, "large", ""))
                .withMessage(model + ": this CLIP sees pictures of 16 pixels, where the 24 of the recipe's data are wanted");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> train(none, "none", ""))
                .withMessage("nowhere: no CLIP: a folder with config.json or open_clip_config.json, or OpenAI's file, is wanted");
    }

    @Test
    void theCommittedRecipeIsSound() {
        UnclipRecipe recipe = UnclipRecipe.read(Path.of("../recipes/dalle2/clipart.yaml"));
        assertThat(recipe.data().size()).isEqualTo(ClipRecipe.read(Path.of("../recipes/clip/clipart.yaml")).data().size());
    }
}
