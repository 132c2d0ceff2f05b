package io.sfumato.models.upscaler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** There is no reference of this network: what it must do by its definition. */
class UpscalerTest {
    private final Scope scope = new Scope();
    private final Rng rng = new Rng(1);
    private final Weights weights = Weights.init(rng, Device.CPU);
    private final Upscaler upscaler = new Upscaler(weights, new Upscaler.Config(3, 8, 2, 4));

    @AfterEach
    void close() {
        weights.close();
        rng.close();
        scope.close();
    }

    @Test
    void aLastLayerOfZerosRepeatsThePixels() {
        Tensor x = rng.randn(2, 3, 5, 7);
        try (NoGrad noGrad = new NoGrad()) {
            weights.parameters().get("conv_out.weight").zero_();
            weights.parameters().get("conv_out.bias").zero_();
        }
        assertThat(upscaler.forward(x).equal(Functional.upsampleNearest(x, 20, 28))).isTrue();
    }

    @Test
    void eachFeatureOfTheLastLayerIsOnePixelOfASquare() {
        Tensor x = Tensor.zeros(1, 3, 2, 2);
        float[] bias = new float[48];
        for (int i = 0; i < bias.length; i++) {
            bias[i] = i;
        }
        try (NoGrad noGrad = new NoGrad()) {
            weights.parameters().get("conv_out.weight").zero_();
            weights.parameters().get("conv_out.bias").copy_(Tensor.of(bias, 48));
        }
        Tensor y = upscaler.forward(x);                                                     // (1, 3, 8, 8)
        for (int row = 0; row < 4; row++) {
            assertThat(y.select(0, 0).select(0, 1).select(0, 4 + row).toFloats()).startsWith(16 + 4 * row, 17 + 4 * row, 18 + 4 * row);
        }
    }

    @Test
    void gradientsReachAllAndNothingIsLeft() {
        Fixture.assertGradientsReachAll(weights.parameters(), upscaler.forward(rng.randn(2, 3, 6, 4)));
        Tensor x = rng.randn(1, 3, 4, 4);
        Fixture.assertNothingIsLeft(() -> {
            try (NoGrad noGrad = new NoGrad()) {
                return upscaler.forward(x);
            }
        });
    }

    @Test
    void sizesThatMakeNoNetworkAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Upscaler.Config(3, 8, 2, 1))
                .withMessage("channels 3, width 8, blocks 2, scale 1: each must be at least 1, and scale 2");
    }
}
