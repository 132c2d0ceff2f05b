package io.sfumato.models.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.nn.Activation;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The autoencoder against diffusers': plain, shifted, odd sizes, one level, no attention, old names. */
class AutoencoderKlTest {
    private static final Path SD1 = Fixture.PIPELINES.resolve("sd1");
    private static final Path VARIANTS = Fixture.PIPELINES.resolve("sd-variants");

    static Stream<Arguments> cases() {
        return Fixture.cases(VARIANTS.resolve("vae")).stream().map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsDiffusers(String name, JsonNode c) {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(VARIANTS.resolve("vae/golden.safetensors"))) {
            with(VARIANTS.resolve(c.get("model").asText()), vae -> {
                AutoencoderKl.Posterior posterior = vae.encode(Fixture.tensor(golden, c, "input"));
                Fixture.assertClose("mean", posterior.mean(), Fixture.tensor(golden, c, "mean"), 1e-5);
                Fixture.assertClose("logvar", posterior.logvar(), Fixture.tensor(golden, c, "logvar"), 1e-5);
                Fixture.assertClose("decoded", vae.decode(Fixture.tensor(golden, c, "mean")), Fixture.tensor(golden, c, "decoded"), 1e-5);
                assertThat(vae.config().scalingFactor()).isEqualTo(c.get("scaling_factor").asDouble());
            });
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void stripsGiveWhatTheWholeDoes(String name, JsonNode c) {
        var exact = new StripMap.Limits(1, Long.MAX_VALUE);     // strips of two rows
        var half = new StripMap.Limits(1, 1);                   // and all in float16
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(VARIANTS.resolve("vae/golden.safetensors"))) {
            with(VARIANTS.resolve(c.get("model").asText()), vae -> {
                Tensor picture = Fixture.tensor(golden, c, "input").narrow(0, 0, 1), z = Fixture.tensor(golden, c, "mean").narrow(0, 0, 1);
                AutoencoderKl.Posterior whole = vae.encode(picture);
                Fixture.assertClose("mean", vae.encodeInStrips(picture, exact).mean(), whole.mean(), 1e-5);
                Fixture.assertClose("logvar", vae.encodeInStrips(picture, exact).logvar(), whole.logvar(), 1e-5);
                Fixture.assertClose("decoded", vae.decodeInStrips(z, exact), vae.decode(z), 1e-5);
                Fixture.assertClose("mean, half", vae.encodeInStrips(picture, half).mean(), whole.mean(), 2e-3);
                Fixture.assertClose("decoded, half", vae.decodeInStrips(z, half), vae.decode(z), 2e-3);
                Fixture.assertNothingIsLeft(() -> vae.decodeInStrips(z, half));
                Fixture.assertNothingIsLeft(() -> vae.encodeInStrips(picture, exact));
            });
        }
    }

    @Test
    void samplesAsDiffusersDoes() {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(SD1.resolve("golden.safetensors")); var rng = new Rng(5)) {
            with(SD1.resolve("model/vae"), vae -> {
                AutoencoderKl.Posterior posterior = vae.encode(golden.get("vae/input"));
                Fixture.assertClose("mean", posterior.mean(), golden.get("vae/mean"), 1e-5);
                Fixture.assertClose("logvar", posterior.logvar(), golden.get("vae/logvar"), 1e-5);
                Tensor noise = rng.randn(posterior.mean().shape());
                Fixture.assertClose("sample", posterior.sample(noise), golden.get("vae/sample_seed5"), 1e-5);
                Fixture.assertClose("decoded", vae.decode(golden.get("vae/mean")), golden.get("vae/decoded_mean"), 1e-5);
            });
        }
    }

    private static void with(Path folder, Consumer<AutoencoderKl> work) {
        try (TensorSource file = Fixture.weights(folder); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            AutoencoderKl.Config config = AutoencoderKl.Config.of(Fixture.config(folder));
            work.accept(weights.build(w -> new AutoencoderKl(w, config), name -> false));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"one-level", "three-levels", "half", "no-attention", "deep-vae", "plain-first"})
    void aFreshOneHasTheParametersOfTheFileAndGradientsReachThemAll(String model) {
        Path folder = VARIANTS.resolve(model + "/vae");
        AutoencoderKl.Config config = AutoencoderKl.Config.of(Fixture.config(folder));
        try (var scope = new Scope(); var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU);
                TensorSource file = Fixture.weights(folder)) {
            AutoencoderKl vae = new AutoencoderKl(fresh, config);
            Fixture.assertSameParameters(fresh.parameters(), file);
            int size = 2 * config.factor();
            AutoencoderKl.Posterior q = vae.encode(rng.randn(2, config.inChannels(), size, size));
            Fixture.assertGradientsReachAll(fresh.parameters(), vae.decode(q.sample(rng.randn(q.mean().shape()))));
        }
    }

    @Test
    void oldAttentionNamesStandForTheNewOnes() {
        try (TensorSource old = Fixture.weights(VARIANTS.resolve("four-levels/vae"))) {
            assertThat(old.names()).contains("encoder.mid_block.attentions.0.query.weight", "decoder.mid_block.attentions.0.proj_attn.bias")
                    .noneMatch(name -> name.contains("to_q"));
        }
    }

    @Test
    void nothingIsLeftAfterForward() {
        with(VARIANTS.resolve("three-levels/vae"), vae -> {
            try (var scope = new Scope(); var rng = new Rng(1)) {
                Tensor x = rng.randn(1, 3, 18, 13), noise = rng.randn(1, vae.config().latentChannels(), 4, 3);
                Fixture.assertNothingIsLeft(() -> vae.decode(vae.encode(x).sample(noise)));
            }
        });
    }

    @Test
    void filesThatDoNotFitAreReportedWhole() {
        Path folder = SD1.resolve("model/vae");
        ConfigJson json = edited(j -> j.put("use_quant_conv", false).put("latent_channels", 5));
        try (TensorSource file = Fixture.weights(folder); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> weights.build(w -> new AutoencoderKl(w, AutoencoderKl.Config.of(json)), name -> false))
                    .withMessageContaining("diffusion_pytorch_model.safetensors: 7 tensors do not fit the config: ")
                    .withMessageContaining("wrong shape encoder.conv_out.weight: [8, 16, 3, 3] where [10, 16, 3, 3] is wanted; ")
                    .withMessageContaining("unexpected quant_conv.weight").withMessageNotContaining("\n");
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        refused(j -> j.putArray("down_block_types").add("DownEncoderBlock2D"),
                "vae: key 'down_block_types' is [DownEncoderBlock2D], where 2 times DownEncoderBlock2D is wanted");
        refused(j -> j.putArray("up_block_types").add("UpDecoderBlock2D").add("AttnUpDecoderBlock2D"),
                "vae: key 'up_block_types' is [UpDecoderBlock2D, AttnUpDecoderBlock2D], where 2 times UpDecoderBlock2D is wanted");
        refused(j -> j.putArray("block_out_channels"), "vae: key 'block_out_channels' is [], where a list of whole numbers is wanted");
        refused(j -> j.put("act_fn", "selu"), "vae: key 'act_fn' is selu, where one of silu, swish, gelu, gelu_new, gelu_pytorch_tanh, "
                + "quick_gelu, relu is wanted");
        refused(j -> j.put("scaling_factor", "big"), "vae: key 'scaling_factor' is \"big\", where a number is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> AutoencoderKl.Config.of(edited(j -> j.put("layers_per_block", 0))))
                .withMessage("layers_per_block must be at least 1, not 0");
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            AutoencoderKl.Config config = AutoencoderKl.Config.of(edited(j -> j.put("norm_num_groups", 3)));
            assertThatIllegalArgumentException().isThrownBy(() -> new AutoencoderKl(weights, config))
                    .withMessage("norm_num_groups 3 does not divide 8 channels");
        }
    }

    private static void refused(Consumer<ObjectNode> edit, String message) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> AutoencoderKl.Config.of(edited(edit))).withMessage(message);
    }

    private static ConfigJson edited(Consumer<ObjectNode> edit) {
        ObjectNode json = (ObjectNode) JsonFile.read(SD1.resolve("model/vae/config.json"));
        edit.accept(json);
        return new ConfigJson("vae", json);
    }

    @Test
    void publishedSizes() {
        int[] widths = {128, 256, 512, 512};
        var sd = new AutoencoderKl.Config(3, 3, 4, widths, 2, 32, Activation.SILU, true, true, true, 0.18215);
        var sd3 = new AutoencoderKl.Config(3, 3, 16, widths, 2, 32, Activation.SILU, false, false, true, 1.5305);
        assertThat(count(sd)).isEqualTo(List.of(83_653_863L, 248L));
        assertThat(count(sd3)).isEqualTo(List.of(83_819_683L, 244L));
        assertThat(sd.factor()).isEqualTo(8);
    }

    // Numbers, and tensors.
    private static List<Long> count(AutoencoderKl.Config config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new AutoencoderKl(weights, config);
            return List.of(weights.count(), (long) weights.parameters().size());
        }
    }
}
