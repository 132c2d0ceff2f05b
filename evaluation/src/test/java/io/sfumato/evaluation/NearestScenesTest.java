package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.image.Image;
import io.sfumato.tensor.Scope;
import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.util.List;
import org.junit.jupiter.api.Test;

class NearestScenesTest {
    private static final Scenes WORLD = World.of(32);

    @Test
    void aCopyIsNearAndAFreshSceneIsNot() {
        try (NearestScenes nearest = new NearestScenes(seed -> Pictures.of(WORLD.scene(seed)), 150, World.SILENT)) {
            double[] copies = nearest.distances(Pictures.of(List.of(WORLD.scene(0), WORLD.scene(149))));
            double[] fresh = nearest.distances(Pictures.of(Captions.singles(WORLD, 30)));
            assertThat(copies).hasSize(2);
            assertThat(copies[1]).isLessThan(0.2);
            assertThat(fresh).hasSize(30).isSorted();
            assertThat(fresh[0]).isGreaterThan(1);
        }
    }

    @Test
    void isTheRootMeanSquareOfReducedPictures() {
        Scene scene = WORLD.scene(0);
        double squares = 0;
        for (int block = 0; block < 256; block++) {
            for (int c = 0; c < 3; c++) {
                double mean = 0;
                for (int i = 0; i < 4; i++) {
                    int y = block / 16 * 2 + i / 2, x = block % 16 * 2 + i % 2;
                    mean += (scene.pixels()[(y * 32 + x) * 3 + c] & 255) / 4.0;
                }
                squares += mean * mean;
            }
        }
        try (NearestScenes nearest = new NearestScenes(seed -> Pictures.of(WORLD.scene(seed)), 1, World.SILENT)) {
            assertThat(nearest.distances(List.of(Image.filled(32, 32, 0)))[0]).isCloseTo(Math.sqrt(squares / 768), within(0.01));
        }
    }

    @Test
    void nativeMemoryIsFlat() {
        new NearestScenes(seed -> Pictures.of(WORLD.scene(seed)), 2, World.SILENT).close();
        long before = Scope.live();
        try (NearestScenes nearest = new NearestScenes(seed -> Pictures.of(WORLD.scene(seed)), 5, World.SILENT)) {
            nearest.distances(Pictures.of(Captions.singles(WORLD, 3)));
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(before);
    }
}
