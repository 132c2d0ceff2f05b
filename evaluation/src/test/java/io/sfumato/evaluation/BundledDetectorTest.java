package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.training.world.Scene;
import io.sfumato.training.world.Split;
import io.sfumato.training.world.World;
import io.sfumato.training.world.WorldConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** How far the detector that benchmarks use can be trusted: on scenes that it was not trained on. */
class BundledDetectorTest {
    private static final Path FILE = Path.of("../bundled/src/main/resources/io/sfumato/bundled/detectors/clipart-world.safetensors");
    private static final World WORLD = new World(WorldConfig.sixty(Detector.SIZE), DetectorTest.ART);

    private static List<Scene> scenes(Split split, int count) {
        return LongStream.range(500, 500 + count).mapToObj(i -> WORLD.scene(split, i)).toList();
    }

    @Test
    void itKnowsWhatRealScenesShow() {
        List<Scene> scenes = new ArrayList<>(scenes(Split.HELD_OUT, 200));
        scenes.addAll(scenes(Split.UNSEEN_COLOURS, 50));
        scenes.addAll(scenes(Split.UNSEEN_PAIRS, 50));
        try (Detector detector = Detector.load(FILE)) {
            assertThat(detector.nouns()).isEqualTo(WorldConfig.SIXTY);
            WorldScores scores = WorldScores.of(scenes, detector.read(Pictures.ofWorld(scenes)).found());
            assertThat(scores.objects().value()).isGreaterThanOrEqualTo(0.97);
            assertThat(scores.colours().value()).isGreaterThanOrEqualTo(0.95);
            assertThat(scores.counts().value()).isGreaterThanOrEqualTo(0.9);
            assertThat(scores.relations().value()).isGreaterThanOrEqualTo(0.9);
            // Against each other's captions.
            WorldScores chance = WorldScores.of(Captions.shuffled(scenes), detector.read(Pictures.ofWorld(scenes)).found());
            assertThat(chance.objects().value()).isLessThan(0.1);
        }
    }

    @Test
    void itKnowsThemInOtherSizes() {
        World large = new World(WorldConfig.sixty(256), DetectorTest.ART);
        List<Scene> scenes = LongStream.range(0, 60).mapToObj(i -> large.scene(Split.HELD_OUT, i)).toList();
        try (Detector detector = Detector.load(FILE)) {
            assertThat(WorldScores.of(scenes, detector.read(Pictures.ofWorld(scenes)).found()).allCorrect().value()).isGreaterThan(0.9);
        }
    }
}
