package io.sfumato.models.imagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.models.imagen.EfficientUNet.Attends;
import io.sfumato.models.imagen.EfficientUNet.Config;
import io.sfumato.models.unet.GlideUNet;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** No public weights exist: shapes, gradients, what each input does, and the sizes of the paper. */
class EfficientUNetTest {
    private static Config tiny(Attends attends) {
        return new Config(8, new int[] {8, 16}, new int[] {1, 2}, attends, 2, 12, 4);
    }

    @ParameterizedTest
    @EnumSource(Attends.class)
    void anySizeComesBackAndEveryInputMatters(Attends attends) {
        try (var scope = new Scope(); var rng = new Rng(1); Weights weights = Weights.init(rng, Device.CPU)) {
            EfficientUNet unet = new EfficientUNet(weights, tiny(attends));
            Tensor x = rng.randn(2, 6, 13, 10), text = rng.randn(2, 5, 12), t = Tensor.of(new float[] {0.2f, 0.9f}, 2);
            Tensor level = Tensor.of(new float[] {0.1f, 0}, 2);
            Tensor y = unet.forward(x, t, level, text).detach();
            assertThat(y.shape()).containsExactly(2, 3, 13, 10);
            assertThat(y.isFinite()).isTrue();
            Tensor second = unet.forward(x.narrow(0, 1, 1), t.narrow(0, 1, 1), level.narrow(0, 1, 1), text.narrow(0, 1, 1)).detach();
            Fixture.assertClose("alone as in a batch", second, y.narrow(0, 1, 1), 1e-5);
            assertThat(unet.forward(x, t.mul(0.5), level, text).sub(y).detach().abs().amax(false).item()).isGreaterThan(1e-4);
            assertThat(unet.forward(x, t, level.add(0.5), text).sub(y).detach().abs().amax(false).item()).isGreaterThan(1e-4);
            assertThat(unet.forward(x, t, level, text.mul(-1)).sub(y).detach().abs().amax(false).item()).isGreaterThan(1e-4);
            Fixture.assertNothingIsLeft(() -> unet.forward(x, t, level, text));
        }
    }

    @ParameterizedTest
    @EnumSource(Attends.class)
    void gradientsReachAll(Attends attends) {
        try (var scope = new Scope(); var rng = new Rng(1); Weights weights = Weights.init(rng, Device.CPU)) {
            EfficientUNet unet = new EfficientUNet(weights, tiny(attends));
            Fixture.assertGradientsReachAll(weights.parameters(), unet.forward(rng.randn(2, 6, 8, 8), rng.rand(2), rng.rand(2),
                    rng.randn(2, 5, 12)));
        }
    }

    /** The paper says 2B, 600M and 400M, of which the figures give these: what it leaves open is widths of embeddings and projections. */
    @Test
    void sizesOfThePaper() {
        assertThat(count(w -> new GlideUNet(w, GlideUNetConfig.imagen(512, 4, 3, 64, 4096, 32)))).isEqualTo(2_305_382_403L);
        assertThat(count(w -> new EfficientUNet(w, Config.super256()))).isEqualTo(486_334_851L);
        assertThat(count(w -> new EfficientUNet(w, Config.super1024()))).isEqualTo(482_136_451L);
    }

    private static long count(Consumer<Weights> network) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            network.accept(weights);
            return weights.count();
        }
    }

    @Test
    void readsItsConfig() {
        ObjectNode json = new ObjectMapper().valueToTree(tiny(Attends.TEXT).json());
        Config back = Config.of(new ConfigJson("some.json", json));
        assertThat(back.json()).usingRecursiveComparison().isEqualTo(tiny(Attends.TEXT).json());
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Config.of(new ConfigJson("some.json", json.put("attends", "all"))))
                .withMessage("some.json: key 'attends' is all, where text_and_picture or text is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> new Config(8, new int[] {8}, new int[] {1, 2}, Attends.TEXT, 2, 12, 4))
                .withMessage("channels [8] and res_blocks [1, 2]: one of each for every block is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> new Config(8, new int[] {8}, new int[] {1}, Attends.TEXT, 3, 12, 4))
                .withMessage("3 attention_heads do not divide the 8 channels of the last block, and 4 times the width 8");
    }
}
