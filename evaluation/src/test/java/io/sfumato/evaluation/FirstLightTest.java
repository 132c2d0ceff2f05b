package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.Options;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.io.JsonFile;
import io.sfumato.tensor.Scope;
import io.sfumato.training.Recipe;
import io.sfumato.training.scenes.Scenes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole evaluation of a tiny random model. */
class FirstLightTest {
    private static final FirstLight TINY = new FirstLight(3, 8, 20);
    private static final Path MODEL = Path.of("../pipelines/src/test/resources/golden/sd1/model");

    @TempDir
    Path temp;

    private static final Scenes WORLD = World.of(64);

    private static Options options(TextToImage model) {
        return model.defaults().withSize(64, 64).withSteps(1);
    }

    @Test
    void writesAReportAndGoesOnWithItsPictures() throws IOException {
        try (TextToImage model = TextToImage.load(MODEL.toString()); SceneClassifier classifier = World.barelyTrained(WORLD)) {
            FirstLightReport report = TINY.run(model, "tiny", options(model), WORLD, classifier, temp, World.SILENT);
            assertThat(report.model().recognised().of()).isEqualTo(3);
            assertThat(report.model().both().of()).isEqualTo(1);
            assertThat(report.classifier().of()).isEqualTo(8);
            assertThat(report.captions()).hasSize(3);
            assertThat(temp.resolve("report.md")).content().contains("# tiny on held-out captions",
                    "95% intervals", "| one thing: the noun is recognised | ", "| apple | ", "3. " + report.captions().get(2));
            assertThat(JsonFile.read(temp.resolve("report.json")).get("drawn").get("recognised").get("of").asInt()).isEqualTo(3);
            Image grid = Image.read(temp.resolve("grid.png"));
            assertThat(grid.width()).isEqualTo(8 * 64);

            // A picture on disk is taken as it is, one that is missing is made again as it was.
            Path first = temp.resolve("pictures/single-0000.png"), pair = temp.resolve("pictures/pair-0000.png");
            byte[] made = Files.readAllBytes(pair);
            Files.delete(pair);
            Image.filled(64, 64, 0xFF0000).write(first);
            FirstLightReport again = TINY.run(model, "tiny", options(model), WORLD, classifier, temp, World.SILENT);
            assertThat(Image.read(temp.resolve("grid.png")).at(5, 5, 0)).isEqualTo(255);
            assertThat(Files.readAllBytes(pair)).isEqualTo(made);
            assertThat(again.real()).isEqualTo(report.real());
        }
    }

    @Test
    void nativeMemoryIsFlat() {
        try (TextToImage model = TextToImage.load(MODEL.toString()); SceneClassifier classifier = World.barelyTrained(WORLD)) {
            TINY.run(model, "tiny", options(model), WORLD, classifier, temp.resolve("a"), World.SILENT);
            long before = Scope.live();
            TINY.run(model, "tiny", options(model), WORLD, classifier, temp.resolve("b"), World.SILENT);
            assertThat(Scope.live()).isLessThanOrEqualTo(before);
        }
    }

    @Test
    void refusesPicturesOfAnotherModel() throws IOException {
        Files.createDirectories(temp.resolve("pictures"));
        Files.writeString(temp.resolve("pictures/made-by.txt"), "another");
        try (TextToImage model = TextToImage.load(MODEL.toString()); SceneClassifier classifier = World.barelyTrained(WORLD)) {
            assertThatThrownBy(() -> TINY.run(model, "tiny", options(model), WORLD, classifier, temp, World.SILENT))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith(temp.resolve("pictures") + " holds pictures made by another, not by tiny with Options[")
                    .hasMessageEndingWith(": choose another folder");
        }
    }

    @Test
    void itsWorldIsTheRecipes() {
        Recipe.Data data = Recipe.read(Path.of("../recipes/first-light.yaml")).data();
        assertThat(FirstLight.WORLD).isEqualTo(((Recipe.FirstScenes) data).scenes().config());
    }

    @Test
    void refusesToMeasureNothing() {
        assertThatThrownBy(() -> FirstLight.of(0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("count 0, validation 2000, references 20000: each must be at least 1");
    }
}
