package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.evaluation.Detector.Detection;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Background;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.World;
import io.sfumato.training.world.WorldConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DetectorTest {
    static final ClipArt ART = ClipArt.load(Path.of("../bundled/src/main/resources/io/sfumato/bundled/clipart"));
    private static final List<String> NOUNS = List.of("apple", "car", "house");
    private static final World WORLD = new World(new WorldConfig(64, NOUNS, 1, List.of(0.6, 0.4), List.of(0.8, 0.2), 3, 0.7, 0, 0,
            List.of(Background.PLAIN), List.of(), 0, 0), ART);
    private static final Detector.Config TINY = new Detector.Config(NOUNS, List.of(8, 16, 16, 16));

    @TempDir
    Path temp;

    private static Detector fresh() {
        try (Rng rng = new Rng(1)) {
            return new Detector(Weights.init(rng, Device.CPU), TINY);
        }
    }

    private static List<Scene> scenes(int count) {
        return LongStream.range(0, count).mapToObj(WORLD::scene).toList();
    }

    @Test
    void learnsInATinyRun() {
        List<Double> losses = new ArrayList<>();
        try (Detector detector = new DetectorTrainer(60, 16, 0.01, 0)
                .train(WORLD, TINY, 1, (stage, done, total, loss) -> losses.add(loss))) {
            assertThat(losses).hasSize(60);
            assertThat(mean(losses.subList(50, 60))).isLessThan(0.6 * mean(losses.subList(0, 10)));
            WorldScores scores = WorldScores.of(scenes(100), detector.read(Pictures.ofWorld(scenes(100))).found());
            WorldScores before;
            try (Detector untrained = fresh()) {
                before = WorldScores.of(scenes(100), untrained.read(Pictures.ofWorld(scenes(100))).found());
            }
            assertThat(scores.objects().value()).isGreaterThan(before.objects().value() + 0.2);
        }
    }

    private static double mean(List<Double> xs) {
        return xs.stream().mapToDouble(x -> x).average().orElseThrow();
    }

    /** If the maps are what the trainer wants, what is read off them is what the scenes show. */
    @Test
    void perfectMapsAreReadAsTheTruth() {
        List<Scene> scenes = scenes(40);
        DetectorTrainer.Targets targets = DetectorTrainer.Targets.of(scenes, NOUNS);
        int area = Detector.CELLS * Detector.CELLS, colours = io.sfumato.training.scenes.Colour.values().length;
        float[] paints = new float[scenes.size() * colours * area], boxes = new float[scenes.size() * 4 * area];
        for (int i = 0; i < targets.cells().size(); i++) {
            int picture = (int) (targets.cells().get(i) / area), cell = (int) (targets.cells().get(i) % area);
            paints[(picture * colours + targets.colours().get(i).intValue()) * area + cell] = 1;
            for (int k = 0; k < 4; k++) {
                boxes[(picture * 4 + k) * area + cell] = targets.boxes().get(i)[k];
            }
        }
        Peaks peaks = new Peaks(NOUNS, targets.heat(), paints, boxes);
        List<List<Detection>> found = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            found.add(peaks.of(i));
            assertThat(found.get(i)).hasSameSizeAs(scenes.get(i).things());
        }
        WorldScores scores = WorldScores.of(scenes, found);
        assertThat(scores.allCorrect()).isEqualTo(new Share(40, 40));
        assertThat(scores.relations().of()).isPositive();
    }

    @Test
    void theLossOfPerfectMapsIsSmall() {
        List<Scene> scenes = scenes(4);
        DetectorTrainer.Targets targets = DetectorTrainer.Targets.of(scenes, NOUNS);
        try (Scope scope = new Scope(); NoGrad noGrad = new NoGrad(); Detector detector = fresh()) {
            Detector.Maps maps = detector.forward(Pictures.tensor(Pictures.ofWorld(scenes), Detector.SIZE));
            Tensor centre = Tensor.of(targets.heat(), targets.shape()).eq(1).to(maps.centres());
            Detector.Maps sharp = new Detector.Maps(centre.mul(20).sub(10), maps.colours(), maps.boxes(), maps.features());
            assertThat(DetectorTrainer.loss(sharp, targets).item()).isLessThan(DetectorTrainer.loss(maps, targets).item() - 1);
        }
    }

    @Test
    void aWrittenDetectorReadsTheSame() {
        try (Detector detector = fresh()) {
            detector.write(temp.resolve("d.safetensors"));
            List<Image> pictures = Pictures.ofWorld(scenes(3));
            try (Detector loaded = Detector.load(temp.resolve("d.safetensors"))) {
                assertThat(loaded.nouns()).isEqualTo(NOUNS);
                double[] a = detector.read(pictures).features().get(2), b = loaded.read(pictures).features().get(2);
                assertThat(a).hasSize(32);
                for (int i = 0; i < a.length; i++) {
                    assertThat(b[i]).isCloseTo(a[i], org.assertj.core.api.Assertions.within(0.01));
                }
            }
        }
    }

    @Test
    void readsPicturesOfOtherSizes() {
        try (Detector detector = fresh()) {
            assertThat(detector.read(List.of(Image.filled(256, 256, 0xFF8800))).found()).hasSize(1);
            assertThat(detector.read(List.of()).found()).isEmpty();
        }
    }

    @Test
    void nativeMemoryIsFlat() {
        List<Image> pictures = Pictures.ofWorld(scenes(2));
        try (Detector detector = fresh()) {
            detector.read(pictures);
            long before = Scope.live();
            for (int i = 0; i < 3; i++) {
                detector.read(pictures);
            }
            assertThat(Scope.live()).isLessThanOrEqualTo(before);
        }
    }

    @Test
    void refusesOtherFiles() {
        Path file = temp.resolve("other.safetensors");
        try (Scope scope = new Scope()) {
            SafeTensors.write(file, Map.of("stem.bias", Tensor.zeros(4)), Map.of());
            assertThatThrownBy(() -> Detector.load(file)).isInstanceOf(CheckpointException.class)
                    .hasMessage(file + ": no detector of clip-art world: its metadata has no 'nouns' and 'widths'");
            SafeTensors.write(file, Map.of("stem.bias", Tensor.zeros(4)), Map.of("nouns", "apple", "widths", "8,8,8,8"));
            assertThatThrownBy(() -> Detector.load(file)).isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("wrong shape stem.bias: [4]").hasMessageContaining("missing stem.weight [8, 3, 3, 3]");
        }
        assertThatThrownBy(() -> new Detector.Config(NOUNS, List.of(8, 12, 8, 8)))
                .hasMessage("a detector of nouns [apple, car, house] and widths [8, 12, 8, 8]: nouns and 4 multiples of 8 are wanted");
    }
}
