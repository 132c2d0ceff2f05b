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
    void theLargestOfEachWindow() {
        try (var scope = new Scope()) {
            Tensor x = Tensor.of(new float[] {1, 5, 2, 3, 4, 0, 7, 6}, 1, 1, 2, 4);
            assertThat(Functional.maxPool2d(x, 2).toFloats()).containsExactly(5, 7);
        }
    }
}
