package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.image.Image;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole small training of a DALL-E, unbroken and broken off. */
class DalleTrainerTest {
    private static final String TINY = """
            kind: dalle
            name: tiny
            seed: 1
            data:
              kind: scenes
              scenes: {clipart: ../bundled/src/main/resources/io/sfumato/bundled/clipart, size: 16, pairs: 0.3, coloured: 0.6,
                namedBackgrounds: 0.25, nouns: [apple, duck]}
            tokenizer: {tokens: 600, length: 12, captions: 30}
            discrete:
              hidden: 8
              init: 8
              groups: 3
              blocks: 1
              codes: 12
              divergence: 6.6
              divergenceSteps: 4
              coldest: 0.0625
              coldestSteps: 6
              loop: {steps: 8, batch: 4, rate: 0.003, warmup: 2, decay: 0.0001, clip: 1.0, ema: 0.5, saveEvery: 4}
            transformer:
              layers: 2
              width: 16
              heads: 2
              window: 3
              scenes: 12
              loop: {steps: 8, batch: 4, rate: 0.003, warmup: 2, decay: 0.045, clip: 4.0, ema: 0.5, saveEvery: 4}
            prompts: [a duck, an apple]
            """;

    @TempDir
    Path temp;

    private DalleRecipe recipe(String text) throws IOException {
        Path file = Files.writeString(temp.resolve("recipe.yaml"), text);
        assertThat(DalleRecipe.matches(file)).isTrue();
        return DalleRecipe.read(file);
    }

    private Path train(String run, String stopIn, long stopAt) throws IOException {
        return new DalleTrainer(recipe(TINY), temp.resolve(run), BreakingOff.in(stopIn, stopAt)).train(model -> { });
    }

    @Test
    void trainsAModelThatDrawsAndCompletesAndGoesOnAsIfNeverBrokenOff() throws IOException {
        Path model = train("whole", "never", 0);
        try (var scope = new Scope(); TextToImage dalle = TextToImage.load(model.toString()); Trace trace = Trace.recording();
                Trace again = Trace.recording()) {
            Options o = dalle.defaults().withSeed(3);
            Image picture = dalle.generate(List.of(Prompt.of("a duck")), o, Listener.none(), trace).get(0);
            assertThat(picture.width()).isEqualTo(16);
            Prompt upper = Prompt.of("an apple").withInit(picture);
            dalle.generate(List.of(upper), o.withStrength(0.5).withCount(2), Listener.none(), again);
            assertThat(again.tensors().get("tokens").shape()).containsExactly(2, 16);
        }
        for (String stage : List.of("pictures", "transformer")) {
            assertThatIllegalStateException().isThrownBy(() -> train("broken", stage, 6)).withMessage("broken off");
        }
        train("broken", "never", 0);
        for (String file : List.of("pictures.csv", "transformer.csv", "model/nouns.txt")) {
            assertThat(temp.resolve("broken").resolve(file)).hasSameTextualContentAs(temp.resolve("whole").resolve(file));
        }
        assertThat(Files.readAllLines(temp.resolve("broken/pictures.csv"))).hasSize(9).first()
                .isEqualTo("step,loss,divergence,temperature,psnr,used");
        assertThat(temp.resolve("broken/samples-8.png")).isNotEmptyFile();
    }

    @Test
    void temperatureFallsAndDivergenceGrowsAlongACosine() throws IOException {
        DalleRecipe.Discrete c = recipe(TINY).discrete();
        assertThat(c.temperature(0)).isEqualTo(1);
        assertThat(c.temperature(3)).isCloseTo((1 + 1 / 16.0) / 2, within(1e-12));
        assertThat(c.temperature(6)).isEqualTo(1 / 16.0);
        assertThat(c.temperature(1000)).isEqualTo(1 / 16.0);
        assertThat(c.weight(0)).isZero();
        assertThat(c.weight(2)).isCloseTo(3.3, within(1e-12));
        assertThat(c.weight(4)).isEqualTo(6.6);
    }

    @Test
    void wrongRecipesAreNamed() {
        refused("groups: 3", "groups: 6", "data has pictures of 16 pixels, where a multiple of 32 for 6 groups is wanted");
        refused("coldest: 0.0625", "coldest: 0.0", "in 'discrete': coldest is 0.0, where above 0 to 1 is wanted");
        refused("heads: 2", "heads: 3", "in 'transformer': width 16 must be a multiple of heads 3, and layers 2 at least 1");
        refused("scenes: 12", "scenes: 0", "in 'transformer': scenes is 0, where 1 or more is wanted");
        refused("  codes: 12\n", "", "the key 'discrete.codes' is missing");
        refused("prompts: [a duck, an apple]", "prompts: []", "prompts is [], where at least one prompt is wanted");
    }

    private void refused(String right, String wrong, String message) {
        assertThat(TINY).contains(right);
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace(right, wrong)))
                .withMessage(temp.resolve("recipe.yaml") + ": " + message);
    }

    @Test
    void theCommittedRecipeIsSound() {
        DalleRecipe recipe = DalleRecipe.read(Path.of("../recipes/dalle/clipart.yaml"));
        assertThat(recipe.dalle(1200).length()).isEqualTo(64);
    }
}
