package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Operators that change the size of pictures, on numbers small enough to follow. */
class PoolingTest {
    @Test
    void transposedConvolutionLaysAKernelForEachPixel() {
        try (var scope = new Scope()) {
            Tensor x = Tensor.of(new float[] {1, 2}, 1, 1, 1, 2), weight = Tensor.of(new float[] {1, 2, 3, 4}, 1, 1, 2, 2);
            Tensor y = Functional.convTranspose2d(x, weight, Tensor.of(new float[] {10}, 1), 2);
            assertThat(y.shape()).containsExactly(1, 1, 2, 4);
            assertThat(y.toFloats()).containsExactly(11, 12, 12, 14, 13, 14, 16, 18);
        }
    }

    @Test
    void sizesChangeByTheNearestOrByMixing() {
        try (var scope = new Scope()) {
            Tensor x = Tensor.of(new float[] {0, 8}, 1, 1, 1, 2);
            assertThat(Functional.upsampleNearest(x, 1, 4).toFloats()).containsExactly(0, 0, 8, 8);
            assertThat(Functional.upsampleBilinear(x, 1, 4).toFloats()).containsExactly(0, 2, 6, 8);
            assertThat(Functional.upsampleBilinearOfPoints(x, 1, 4).toFloats()).containsExactly(0, 8 / 3f, 16 / 3f, 8);
            assertThat(Functional.upsampleBicubic(x, 1, 4).toFloats()).containsExactly(-0.84375f, 1.8125f, 6.1875f, 8.84375f);
        }
    }

    @Test
    void eachChannelHasAKernelOfItsOwn() {
        try (var scope = new Scope()) {
            Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 1, 2, 1, 3);
            Tensor weight = Tensor.zeros(2, 1, 3, 3);
            weight.select(0, 0).select(0, 0).select(0, 1).copy_(Tensor.of(new float[] {1, 0, 0}, 3));       // the left neighbour
            weight.select(0, 1).select(0, 0).select(0, 1).copy_(Tensor.of(new float[] {0, 2, 0}, 3));
            assertThat(Functional.depthwiseConv2d(x, weight, Tensor.zeros(2), 1).toFloats()).containsExactly(0, 1, 2, 8, 10, 12);
        }
    }

    @Test
    void theLargestOfEachWindow() {
        try (var scope = new Scope()) {
            Tensor x = Tensor.of(new float[] {1, 5, 2, 3, 4, 0, 7, 6}, 1, 1, 2, 4);
            assertThat(Functional.maxPool2d(x, 2).toFloats()).containsExactly(5, 7);
        }
    }
}
