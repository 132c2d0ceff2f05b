package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
    void bicubicResizingEqualsPyTorchsAntialiased() {
        try (var scope = new Scope()) {
            Tensor x = Tensor.arange(12).to(DType.F32).square().div(10).view(1, 1, 3, 4);
            assertThat(Functional.resizeBicubic(x, 2, 7).toFloats()).containsExactly(new float[] {0.33966225f, 0.45140222f, 0.682513f,
                0.9640043f, 1.3136014f, 1.8057852f, 2.0700772f, 4.6693945f, 5.1601414f, 6.1202688f, 7.0378408f, 8.0235195f, 9.2447195f,
                9.888019f}, within(1e-5f));
            assertThat(Functional.resizeBicubic(x, 5, 3).toFloats()).containsExactly(new float[] {-0.12467072f, 0.0245989f, 0.50317353f,
                0.40031072f, 0.94935226f, 1.8276991f, 1.7594966f, 3.0359194f, 4.6416478f, 5.0530114f, 7.0568151f, 9.389926f, 7.0851736f,
                9.4887486f, 12.2216320f}, within(1e-5f));
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
