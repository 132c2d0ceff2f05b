package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.sfumato.families.ClipScore;
import io.sfumato.image.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole small training of a CLIP, unbroken and broken off. */
class ClipTrainerTest {
    private static final String TINY = """
            name: tiny
            seed: 1
            data:
              kind: scenes
              scenes: {clipart: ../bundled/src/main/resources/io/sfumato/bundled/clipart, size: 16, pairs: 0, coloured: 0.9,
                namedBackgrounds: 0, nouns: [apple, duck]}
            tokenizer: {tokens: 600, length: 12, captions: 30}
            picture: {patch: 4, width: 16, hidden: 32, layers: 1, heads: 2}
            text: {width: 16, hidden: 32, layers: 1, heads: 2}
            projection: 8
            loop: {steps: 60, batch: 8, rate: 0.01, warmup: 2, decay: 0.01, clip: 1.0, ema: 0.5, saveEvery: 30}
            """;

    @TempDir
    Path temp;

    private ClipRecipe recipe(String text) throws IOException {
        Path file = Files.writeString(temp.resolve("recipe.yaml"), text);
        assertThat(ClipRecipe.matches(file)).isTrue();
        return ClipRecipe.read(file);
    }

    private Path train(String run, long stopAt) throws IOException {
        return new ClipTrainer(recipe(TINY), temp.resolve(run), BreakingOff.in("clip", stopAt)).train(model -> { });
    }

    @Test
    void learnsToTellScenesApartAndGoesOnAsIfNeverBrokenOff() throws IOException {
        Path model = train("whole", -1);
        List<Double> losses = Files.readAllLines(temp.resolve("whole/clip.csv")).stream().skip(1)
                .map(line -> Double.parseDouble(line.split(",")[1])).toList();
        double first = losses.subList(0, 10).stream().mapToDouble(x -> x).average().orElseThrow();
        double last = losses.subList(50, 60).stream().mapToDouble(x -> x).average().orElseThrow();
        assertThat(last).isLessThan(0.9 * first);
        try (ClipScore clip = ClipScore.load(model)) {
            assertThat(clip.score(Image.filled(16, 16, 0x20c040), "a green apple")).isBetween(0.0, 2.5);
        }
        assertThatIllegalStateException().isThrownBy(() -> train("broken", 40)).withMessage("broken off");
        train("broken", -1);
        assertThat(temp.resolve("broken/clip.csv")).hasSameTextualContentAs(temp.resolve("whole/clip.csv"));
        assertThat(model.resolve("nouns.txt")).hasContent("apple\nduck\n");
        assertThat(temp.resolve("broken/model/model.safetensors")).hasSameBinaryContentAs(model.resolve("model.safetensors"));
    }

    @Test
    void wrongRecipesAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("patch: 4", "patch: 5")))
                .withMessageEndingWith("recipe.yaml: data has pictures of 16 pixels, where a multiple of picture.patch 5 is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("batch: 8", "batch: 1")))
                .withMessageEndingWith("recipe.yaml: loop.batch is 1, where 2 or more, to tell apart, is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("saveEvery: 30", "saveEvery: 30, accumulate: 2")))
                .withMessageEndingWith("recipe.yaml: loop.accumulate is 2, where 1 (each text is compared with all pictures of a batch) "
                        + "is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("text: {width: 16", "text: {width: 15")))
                .withMessageEndingWith("recipe.yaml: in 'text': width is 15 with heads 2, where a multiple of heads is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("projection: 8", "projection: 0")))
                .withMessageEndingWith("recipe.yaml: projection is 0, where 1 or more is wanted");
    }

    @Test
    void theCommittedRecipeIsSound() {
        ClipRecipe recipe = ClipRecipe.read(Path.of("../recipes/clip/clipart.yaml"));
        assertThat(recipe.config(1200, 1199).vision().projection()).isEqualTo(recipe.projection());
    }
}
