package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SceneClassifierTest {
    private static final Scenes WORLD = World.of(64);

    @TempDir
    Path temp;

    @Test
    void theLossFalls() {
        var config = new SceneClassifier.Config(32, new int[] {8, 16, 24, 32});
        List<Double> losses = new ArrayList<>();
        new SceneClassifierTrainer(40, 16, 0.004, 0)
                .train(World.of(32), config, 1, (stage, done, total, loss) -> losses.add(loss)).close();
        assertThat(losses).hasSize(40);
        assertThat(mean(losses.subList(30, 40))).isLessThan(mean(losses.subList(0, 10)) - 0.5);
    }

    private static double mean(List<Double> xs) {
        return xs.stream().mapToDouble(x -> x).average().orElseThrow();
    }

    @Test
    void aWrittenClassifierReadsTheSame() {
        List<Image> pictures = Pictures.of(Captions.singles(WORLD, 6));
        try (SceneClassifier trained = World.barelyTrained(WORLD)) {
            trained.write(temp.resolve("c.safetensors"));
            try (SceneClassifier loaded = SceneClassifier.load(temp.resolve("c.safetensors"))) {
                assertThat(loaded.read(pictures)).isEqualTo(trained.read(pictures)).hasSize(6);
            }
        }
    }

    @Test
    void readsPicturesOfOtherSizesAndWithTransparency() {
        Scene scene = WORLD.scene(3);
        byte[] rgba = new byte[64 * 64 * 4];
        for (int i = 0; i < 64 * 64; i++) {
            System.arraycopy(scene.pixels(), 3 * i, rgba, 4 * i, 3);
            rgba[4 * i + 3] = (byte) 255;
        }
        try (SceneClassifier classifier = World.barelyTrained(WORLD)) {
            assertThat(classifier.read(List.of(Image.of(64, 64, 4, rgba)))).isEqualTo(classifier.read(List.of(Pictures.of(scene))));
            assertThat(classifier.read(List.of(Image.filled(128, 128, 0xFF8800)))).hasSize(1);
            assertThat(classifier.read(List.of())).isEmpty();
        }
    }

    @Test
    void nativeMemoryIsFlat() {
        List<Image> pictures = Pictures.of(Captions.singles(WORLD, 2));
        try (SceneClassifier classifier = World.barelyTrained(WORLD)) {
            classifier.read(pictures);
            long before = Scope.live();
            for (int i = 0; i < 3; i++) {
                classifier.read(pictures);
            }
            // Fewer where the collector took what setting the number of threads leaves behind.
            assertThat(Scope.live()).isLessThanOrEqualTo(before);
        }
    }

    @Test
    void refusesAFileOfOtherNouns() {
        Path file = temp.resolve("other.safetensors");
        try (Scope scope = new Scope()) {
            SafeTensors.write(file, Map.of("head.bias", Tensor.zeros(4)), Map.of("nouns", "apple pear"));
        }
        assertThatThrownBy(() -> SceneClassifier.load(file)).isInstanceOf(CheckpointException.class)
                .hasMessage(file + ": no scene classifier of these 39 nouns: train it anew");
    }

    @Test
    void refusesAFileWithoutItsTensors() {
        Path file = temp.resolve("short.safetensors");
        try (Scope scope = new Scope()) {
            SafeTensors.write(file, Map.of("head.bias", Tensor.zeros(4)), Map.of("nouns", String.join(" ", Scenes.nouns())));
        }
        assertThatThrownBy(() -> SceneClassifier.load(file)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("missing stages.0.down.weight [32, 3, 3, 3]").hasMessageContaining("wrong shape head.bias: [4]");
    }

    @Test
    void refusesOddSizes() {
        assertThatThrownBy(() -> new SceneClassifier.Config(40, new int[] {8, 8, 8, 8})).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a scene classifier of size 40 and 4 widths: a multiple of 16 and 4 widths are wanted");
    }
}
