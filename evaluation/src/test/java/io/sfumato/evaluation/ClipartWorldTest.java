package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.Options;
import io.sfumato.TextToImage;
import io.sfumato.io.Weights;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.training.world.WorldConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole evaluation of a tiny random model by a random detector. */
class ClipartWorldTest {
    private static final ClipartWorld TINY = new ClipartWorld(20, WorldConfig.SIXTY, 12);
    private static final Path MODEL = Path.of("../pipelines/src/test/resources/golden/sd1/model");

    @TempDir
    Path temp;

    private static Detector detector() {
        try (Rng rng = new Rng(1)) {
            return new Detector(Weights.init(rng, Device.CPU), new Detector.Config(WorldConfig.SIXTY, List.of(8, 16, 16, 16)));
        }
    }

    @Test
    void writesScoresAndAReportWithPictures() throws IOException {
        try (TextToImage model = TextToImage.load(MODEL.toString()); Detector detector = detector()) {
            Options options = model.defaults().withSize(64, 64).withSteps(1);
            ClipartWorldReport report = TINY.run(model, "tiny", options, detector, DetectorTest.ART, temp, World.SILENT);
            assertThat(report.drawn().get("one_kind").objects().of() + report.drawn().get("two_kinds").objects().of()).isEqualTo(15);
            assertThat(report.drawn().get("unseen_combinations").objects().of()).isEqualTo(3);
            assertThat(report.drawn().get("unseen_synonyms").objects().of()).isEqualTo(1);
            assertThat(report.drawn().get("unseen_phrasings").objects().of()).isEqualTo(1);
            assertThat(report.drawn().get("shuffled").objects().of()).isEqualTo(15);
            JsonNode json = new ObjectMapper().readTree(report.json());
            assertThat(names(json)).containsExactly("one_kind", "two_kinds", "unseen_combinations", "shuffled");
            assertThat(names(json.get("one_kind"))).containsExactly("objects", "colours", "counts", "all_correct");
            assertThat(names(json.get("two_kinds"))).containsExactly("objects", "colours", "counts", "relations", "all_correct");
            assertThat(json.get("two_kinds").get("objects").doubleValue()).isBetween(0.0, 1.0);

            report.write(temp);
            assertThat(Files.readString(temp.resolve("report.json")).strip()).isEqualTo(report.json());
            String html = Files.readString(temp.resolve("report.html"));
            assertThat(html).contains("<h1>tiny on clip-art world</h1>", "pictures/one_kind-0000.png", "unseen synonyms",
                    "unseen phrasings", "real scenes");
            assertThat(temp.resolve("pictures/near-one_kind-0000.png")).exists();
            assertThat(Files.readAllLines(temp.resolve("pictures.jsonl"))).hasSize(20)
                    .allMatch(line -> line.contains("\"nearest_seed\":") && line.contains("\"seen\":["));
            long before = Scope.live();
            TINY.run(model, "tiny", options, detector, DetectorTest.ART, temp, World.SILENT);
            assertThat(Scope.live()).isLessThanOrEqualTo(before);
        }
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void asksForMoreOfTheRestWhereAWorldKeepsNothingBack() {
        try (TextToImage model = TextToImage.load(MODEL.toString()); Detector detector = detector()) {
            ClipartWorldReport report = new ClipartWorld(20, List.of("penguin", "tree"), 4).run(model, "tiny",
                    model.defaults().withSize(64, 64).withSteps(1), detector, DetectorTest.ART, temp, World.SILENT);
            assertThat(report.drawn().get("unseen_synonyms").objects().of()).isZero();
            assertThat(report.pictures()).hasSize(20);
            assertThat(report.json()).contains("\"one_kind\"");
        }
    }

    @Test
    void refusesToMeasureNextToNothing() {
        assertThatThrownBy(() -> ClipartWorld.of(7, WorldConfig.SIXTY))
                .hasMessage("count 7, references 4000: at least 8 captions and 2 references are wanted");
    }

    @Test
    void refusesNounsThatTheDetectorDoesNotKnow() {
        try (TextToImage model = TextToImage.load(MODEL.toString()); Detector detector = detector()) {
            ClipartWorld other = new ClipartWorld(10, List.of("apple", "saw", "ant"), 12);
            assertThatThrownBy(() -> other.run(model, "tiny", model.defaults(), detector, DetectorTest.ART, temp, World.SILENT))
                    .hasMessageStartingWith("the detector knows no saw, ant; its nouns are airplane, apple, ");
        }
    }
}
