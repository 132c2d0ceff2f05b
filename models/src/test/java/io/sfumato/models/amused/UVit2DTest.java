package io.sfumato.models.amused;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** aMUSEd's network against diffusers', with and without biases, resizing, and a text of another width. */
class UVit2DTest {
    private static final Path AMUSED = Path.of("src/test/resources/golden/amused");

    @ParameterizedTest
    @ValueSource(strings = {"biased", "one-size"})
    void equalsDiffusers(String name) {
        JsonNode c = Fixture.named(AMUSED, name);
        UVit2D.Config config = UVit2D.Config.of(Fixture.config(AMUSED.resolve(name)));
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(AMUSED.resolve("golden.safetensors"));
                TensorSource file = Fixture.weights(AMUSED.resolve(name)); Weights weights = Weights.load(file, DType.F32, Device.CPU);
                var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            UVit2D model = weights.build(w -> new UVit2D(w, config), n -> false);
            Tensor codes = Fixture.tensor(golden, c, "codes"), text = Fixture.tensor(golden, c, "text");
            Tensor pooled = Fixture.tensor(golden, c, "pooled"), numbers = Fixture.tensor(golden, c, "numbers");
            Fixture.assertClose("logits", model.forward(codes, text, pooled, numbers).permute(0, 3, 1, 2),
                    Fixture.tensor(golden, c, "logits"), 1e-5);
            Fixture.assertNothingIsLeft(() -> model.forward(codes, text, pooled, numbers));
            new UVit2D(fresh, config);
            Fixture.assertSameParameters(fresh.parameters(), file);
        }
    }

    @Test
    void publishedSizes() {
        assertThat(count("{}")).isEqualTo(603_537_664);
        assertThat(count("{'downsample': true, 'upsample': true}")).isEqualTo(608_257_792);
    }

    private static long count(String json) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new UVit2D(weights, UVit2D.Config.of(Fixture.json(json)));
            return weights.count();
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> UVit2D.Config.of(Fixture.json("{'upsample': true}")))
                .withMessage("test: key 'upsample' is true, where false (nothing else is supported) is wanted");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> UVit2D.Config.of(Fixture.json("{'ln_elementwise_affine': false}")))
                .withMessage("test: key 'ln_elementwise_affine' is false, where true (nothing else is supported) is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> UVit2D.Config.of(Fixture.json("{'hidden_size': 1000}"))).withMessage(
                "hidden_size 1000 must be a multiple of num_attention_heads 16, and block_out_channels 768 of block_num_heads 12");
    }
}
