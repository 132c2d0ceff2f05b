package io.sfumato.models.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.Golden;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.models.t5.T5Encoder.Config;
import io.sfumato.nn.Activation;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The encoder against transformers', from golden/t5. */
class T5EncoderTest {
    private static final Path T5 = Golden.file("t5/golden.json").getParent();
    private static final double TOLERANCE = 1e-5;

    private final Scope scope = new Scope();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        scope.close();
    }

    private T5Encoder open(String name, UnaryOperator<Weights> as) {
        TensorSource file = Fixture.weights(T5.resolve(name));
        Weights weights = Weights.load(file, DType.F32, Device.CPU);
        opened.addAll(List.of(weights, file));
        return weights.build(w -> new T5Encoder(as.apply(w), Config.of(Fixture.config(T5.resolve(name)))), T5Encoder::isExtra);
    }

    private Tensor golden(String file, String name, String role) {
        SafeTensors tensors = SafeTensors.open(T5.resolve(file + ".safetensors"));
        opened.add(tensors);
        JsonNode cases = JsonFile.read(T5.resolve(file + ".json")).get("cases");
        return Fixture.tensor(tensors, StreamSupport.stream(cases.spliterator(), false)
                .filter(c -> c.get("name").asText().equals(name)).findFirst().orElseThrow(), role);
    }

    @ParameterizedTest
    @CsvSource({"golden, gated_gelu", "golden, relu", "golden, deep_buckets", "variants, silu_shards", "variants, whole"})
    void equalsTransformers(String file, String name) {
        T5Encoder encoder = open(name, w -> w);
        Tensor ids = golden(file, name, "input_ids"), mask = golden(file, name, "attention_mask");
        Fixture.assertClose("without mask", encoder.forward(ids), golden(file, name, "without_mask"), TOLERANCE);
        Fixture.assertClose("with mask", encoder.forward(ids, mask), golden(file, name, "with_mask"), TOLERANCE);
        Fixture.assertNothingIsLeft(() -> encoder.forward(ids, mask));
    }

    @Test
    void eightBitsComeClose() {
        T5Encoder encoder = open("gated_gelu", Weights::inEightBits);
        Tensor ids = golden("golden", "gated_gelu", "input_ids"), wanted = golden("golden", "gated_gelu", "without_mask");
        Tensor states = encoder.forward(ids);
        double cosine = states.mul(wanted).sum().div(states.norm().mul(wanted.norm())).item();
        assertThat(cosine).isBetween(0.999, 0.999999);
    }

    @ParameterizedTest
    @ValueSource(strings = {"BF16", "F16"})
    void runsInHalves(DType type) {
        TensorSource file = Fixture.weights(T5.resolve("silu_shards"));
        Weights weights = Weights.load(file, type, Device.CPU);
        opened.addAll(List.of(weights, file));
        T5Encoder encoder = weights.build(w -> new T5Encoder(w, Config.of(Fixture.config(T5.resolve("silu_shards")))), name -> false);
        Tensor ids = golden("variants", "silu_shards", "input_ids"), mask = golden("variants", "silu_shards", "attention_mask");
        Tensor states = encoder.forward(ids, mask);
        assertThat(states.dtype()).isEqualTo(type);
        Fixture.assertClose("halves", states, golden("variants", "silu_shards", "with_mask"), 0.05);
    }

    @Test
    void countsTheParametersOfThePublishedSizes() {
        assertThat(List.of(Config.small(), Config.base(), Config.large(), Config.xl(), Config.xxl())).extracting(Config::parameters)
                .containsExactly(35_332_800L, 109_628_544L, 341_231_104L, 1_223_527_424L, 4_762_310_656L);
        for (Config config : List.of(Config.small(), Config.xxl())) {
            try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
                new T5Encoder(weights, config);
                assertThat(weights.count()).isEqualTo(config.parameters());
            }
        }
    }

    @Test
    void aFreshOneTrains() {
        Config config = new Config(20, 12, 4, 16, 2, 3, Activation.RELU, true, 8, 20, 1e-6);
        try (var rng = new Rng(1); Weights weights = Weights.init(rng, Device.CPU)) {
            T5Encoder encoder = new T5Encoder(weights, config);
            Fixture.assertGradientsReachAll(weights.parameters(), encoder.forward(Tensor.arange(20).view(2, 10)));
        }
    }

    @Test
    void namesWhatDoesNotFit() {
        Config gated = Config.of(Fixture.config(T5.resolve("gated_gelu")));
        TensorSource relu = Fixture.weights(T5.resolve("relu"));
        Weights weights = Weights.load(relu, DType.F32, Device.CPU);
        opened.add(relu);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> weights.build(w -> new T5Encoder(w, gated), name -> false))
                .withMessageContaining("missing encoder.block.0.layer.1.DenseReluDense.wi_0.weight [48, 32]")
                .withMessageContaining("unexpected encoder.block.0.layer.1.DenseReluDense.wi.weight");
        assertThatIllegalArgumentException().isThrownBy(() -> new Config(9, 8, 4, 8, 1, 2, Activation.RELU, false, 3, 128, 1e-6))
                .withMessage("relative_attention_num_buckets 3 with relative_attention_max_distance 128: "
                        + "4 buckets or more are wanted, and a distance above a fourth of them");
        assertThatIllegalArgumentException().isThrownBy(() -> new Config(9, 8, 4, 8, 0, 2, Activation.RELU, false, 32, 128, 1e-6))
                .withMessage("vocab_size 9, d_model 8, d_kv 4, d_ff 8, num_layers 0 and num_heads 2 must all be 1 or more");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Config.of(
                new ConfigJson("some.json", new ObjectMapper().createObjectNode().put("feed_forward_proj", "tanh"))))
                .withMessageStartingWith("some.json: key 'feed_forward_proj' is tanh, where one of silu");
    }
}
