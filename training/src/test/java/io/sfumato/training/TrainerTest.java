package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.Golden;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole small training, unbroken and broken off twice. */
class TrainerTest {
    @TempDir
    Path temp;

    private Path train(String run, String stopIn, long stopAt, List<Path> saved) {
        return new Trainer(RecipeTest.tiny(temp, RecipeTest.TINY), temp.resolve(run), BreakingOff.in(stopIn, stopAt)).train(saved::add);
    }

    @Test
    void trainsAModelThatDrawsAndGoesOnAsIfNeverBrokenOff() throws IOException {
        List<Path> saved = new ArrayList<>();
        Path model = train("whole", "never", 0, saved);
        assertThat(saved).containsExactly(model, model, model);
        draws(model);
        trainedOnTheNoiseOf(new ModelFolder(model));

        for (String stage : List.of("autoencoder", "diffusion")) {
            assertThatIllegalStateException().isThrownBy(() -> train("broken", stage, 7, saved)).withMessage("broken off");
        }
        train("broken", "never", 0, saved);
        for (String file : List.of("model/vae/diffusion_pytorch_model.safetensors", "model/unet/diffusion_pytorch_model.safetensors",
                "model/text_encoder/model.safetensors", "model/vae/config.json", "autoencoder.safetensors", "diffusion.safetensors",
                "autoencoder.csv", "diffusion.csv", "diffusion.png", "samples-10.png")) {
            assertThat(temp.resolve("broken").resolve(file)).as(file).hasSameBinaryContentAs(temp.resolve("whole").resolve(file));
        }
        assertThat(Files.readAllLines(temp.resolve("broken/diffusion.csv"))).hasSize(11);
    }

    @Test
    void aRunBegunWithAModelGoesOnFromItsWeights() {
        Path model = train("whole", "never", 0, new ArrayList<>());
        Trainer more = new Trainer(RecipeTest.tiny(temp, RecipeTest.TINY), temp.resolve("more"), (stage, done, total, loss) -> {
            assertThat(stage).isNotEqualTo("autoencoder");
            if (stage.equals("diffusion") && done == 5) {
                throw new IllegalStateException("far enough");
            }
        });
        more.start(model);
        assertThatIllegalStateException().isThrownBy(() -> more.train(saved -> { })).withMessage("far enough");
        // Four steps of at most 0.001 each: near where it began, and not where it began.
        assertThat(distance(model, temp.resolve("more/model"))).isBetween(1e-6, 0.01);
        assertThat(distance(model, train("other", "never", 0, new ArrayList<>()))).isZero();
    }

    @Test
    void aFrozenLanguageModelReadsTheCaptions() throws IOException {
        String text = RecipeTest.TINY.replaceFirst("text: .*", "text: {kind: minilm, tokens: 12, width: 8, layers: 2}")
                .replace("minSnr: 0", "minSnr: 5");
        Recipe recipe = RecipeTest.tiny(temp, text);
        Path begun = train("clip", "never", 0, new ArrayList<>());
        Trainer trainer = new Trainer(recipe, temp.resolve("frozen"), (stage, done, total, loss) -> { });
        trainer.start(begun);
        Path model = trainer.train(saved -> { });
        assertThat(model.resolve("text_encoder")).isDirectoryNotContaining("glob:**.safetensors");
        Path config = model.resolve("text_encoder/config.json");
        assertThat(config).content().contains("\"layers\" : 2");
        try (TextToImage drawn = TextToImage.load(model.toString());
                SafeTensors file = SafeTensors.open(new ModelFolder(model).weights("unet"))) {
            assertThat(file.shape("encoder_hid_proj.weight")).containsExactly(8, 384);
            Image duck = drawn.generate(Prompt.of("a duck"), drawn.defaults().withSteps(2));
            assertThat(duck).isEqualTo(drawn.generate(Prompt.of("a duck"), drawn.defaults().withSteps(2)))
                    .isNotEqualTo(drawn.generate(Prompt.of("a house"), drawn.defaults().withSteps(2)));
        }
        Files.writeString(config, Files.readString(config).replace("\"layers\" : 2", "\"layers\" : 7"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(model.toString()))
                .withMessage(config + ": key 'layers' is 7, where 0 to 6 is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> RecipeTest.tiny(temp, text.replace("layers: 2", "layers: 7")))
                .withMessageEndingWith("in 'text': layers is 7, where 0 to 6 is wanted");
    }

    private static double distance(Path a, Path b) {
        try (SafeTensors one = SafeTensors.open(new ModelFolder(a).weights("unet"));
                SafeTensors other = SafeTensors.open(new ModelFolder(b).weights("unet")); Scope scope = new Scope()) {
            return one.names().stream().mapToDouble(n -> one.get(n).to(DType.F32).sub(other.get(n).to(DType.F32)).abs()
                    .amax(false).item()).max().orElseThrow();
        }
    }

    private void draws(Path model) {
        try (TextToImage drawn = TextToImage.load(model.toString())) {
            Image image = drawn.generate(Prompt.of("a duck"), drawn.defaults().withSteps(3));
            assertThat(image.width()).isEqualTo(16);
        }
        for (int step : new int[] {4, 8, 10}) {
            Image sheet = Image.read(temp.resolve("whole/samples-" + step + ".png"));
            assertThat(List.of(sheet.width(), sheet.height())).containsExactly(32, 16);
        }
        assertThat(temp.resolve("whole/autoencoder.png")).exists();
    }

    private static void trainedOnTheNoiseOf(ModelFolder folder) {
        try (SafeTensors golden = SafeTensors.open(Golden.file("training/golden.safetensors"))) {
            // Products of a thousand numbers in float32, in another order.
            double[] wanted = golden.get("alphas.zero_snr").toDoubles();
            assertThat(folder.scheduler().alphasCumprod()).containsExactly(wanted, within(1e-6));
        }
    }
}
