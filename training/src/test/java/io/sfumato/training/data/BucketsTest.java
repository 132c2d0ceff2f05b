package io.sfumato.training.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.image.Image;
import io.sfumato.training.data.Buckets.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BucketsTest {
    private final Buckets buckets = new Buckets(64, 8, 2);

    @Test
    void shapesHaveAboutOneArea() {
        assertThat(buckets.shapes()).contains(new Shape(64, 64), new Shape(88, 48), new Shape(48, 88));
        assertThat(buckets.shapes()).allSatisfy(s -> {
            assertThat(s.width() % 8 + s.height() % 8).isZero();
            assertThat(s.width() * s.height()).isBetween(64 * 64 * 8 / 10, 64 * 64 * 12 / 10);
            assertThat((double) Math.max(s.width(), s.height()) / Math.min(s.width(), s.height())).isLessThanOrEqualTo(2);
        });
    }

    @Test
    void aPictureGetsTheNearestShapeAndCoversIt() {
        assertThat(buckets.of(500, 500)).isEqualTo(new Shape(64, 64));
        assertThat(buckets.of(900, 300)).isEqualTo(buckets.shapes().get(buckets.shapes().size() - 1));
        Random random = new Random(3);
        for (int i = 0; i < 50; i++) {
            Image image = Image.filled(10 + random.nextInt(300), 10 + random.nextInt(300), 0x336699);
            Shape shape = buckets.of(image.width(), image.height());
            Image fitted = buckets.fit(image);
            assertThat(List.of(fitted.width(), fitted.height())).containsExactly(shape.width(), shape.height());
            assertThat(fitted.at(0, 0, 2)).isEqualTo(0x99);
        }
    }

    @Test
    void batchesAreOfOneShapeAndHaveEachPictureOnce() {
        Random random = new Random(5);
        List<Shape> shapes = buckets.shapes();
        List<Shape> pictures = IntStream.range(0, 203).mapToObj(i -> shapes.get(random.nextInt(shapes.size()))).toList();
        List<int[]> batches = buckets.batches(pictures, 4, 9);
        assertThat(batches).allSatisfy(b -> assertThat(Arrays.stream(b).mapToObj(pictures::get).distinct()).hasSize(1));
        assertThat(batches.stream().flatMapToInt(Arrays::stream).boxed().toList()).doesNotHaveDuplicates()
                .hasSizeGreaterThan(203 - 4 * buckets.shapes().size());
        assertThat(buckets.batches(pictures, 4, 9)).usingRecursiveComparison().isEqualTo(batches);
        assertThat(buckets.batches(pictures, 4, 10).get(0)).isNotEqualTo(batches.get(0));
    }

    @Test
    void refusesSidesThatDoNotFit() {
        assertThatThrownBy(() -> new Buckets(60, 8, 2))
                .hasMessage("buckets of side 60, step 8, ratio 2.0: side must be a multiple of step, and ratio 1 or more");
        assertThatThrownBy(() -> buckets.batches(List.of(), 0, 1)).hasMessage("batch must be at least 1, not 0");
    }
}
