package io.sfumato.models.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.models.unet.Conditioning.Input;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The U-Net against diffusers', in variants that use every setting of its config. */
class GlideUNetTest {
    private static final Path FOLDER = Golden.file("glide-unet/golden.json").getParent();

    static Stream<Arguments> cases() {
        return Fixture.cases(FOLDER).stream().map(c -> Arguments.of(c.get("name").asText(), c));
    }

    private static GlideUNetConfig config(JsonNode c) {
        return GlideUNetConfig.of(new ConfigJson("unet", c.get("config")));
    }

    private static Conditioning given(SafeTensors golden, JsonNode c) {
        Conditioning given = Conditioning.none();
        for (JsonNode input : c.get("given")) {
            given = given.with(Input.valueOf(input.asText().toUpperCase(Locale.ROOT)),
                    golden.get(c.get("name").asText() + "/" + input.asText()));
        }
        return given;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsDiffusers(String name, JsonNode c) {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(FOLDER.resolve("golden.safetensors"));
                Weights weights = Fixture.seeded(w -> new GlideUNet(w, config(c)), c.get("seed").asLong())) {
            GlideUNet unet = new GlideUNet(weights, config(c));
            Tensor x = golden.get(name + "/x"), t = golden.get(name + "/t");
            Conditioning given = given(golden, c);
            Fixture.assertClose(name, unet.forward(x, t, given), golden.get(name + "/y"), 1e-5);
            Fixture.assertNothingIsLeft(() -> unet.forward(x, t, given));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void gradientsReachAllOfAFreshOne(String name, JsonNode c) {
        try (var scope = new Scope(); var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU);
                SafeTensors golden = SafeTensors.open(FOLDER.resolve("golden.safetensors"))) {
            GlideUNet unet = new GlideUNet(fresh, config(c));
            if (config(c).label() != GlideUNetConfig.Label.TABLE) {            // only the rows of a table that were looked up get one
                Fixture.assertGradientsReachAll(fresh.parameters(),
                        unet.forward(golden.get(name + "/x"), golden.get(name + "/t"), given(golden, c)));
            }
        }
    }

    @Test
    void oddSizesComeBackAsTheyWere() {
        JsonNode c = Fixture.cases(FOLDER).get(0);
        try (var scope = new Scope(); var rng = new Rng(2); Weights weights = Fixture.seeded(w -> new GlideUNet(w, config(c)), 1)) {
            GlideUNet unet = new GlideUNet(weights, config(c));
            Conditioning given = Conditioning.text(rng.randn(2, 7, 12)).with(Input.LABEL, Tensor.of(0, 999));
            assertThat(unet.forward(rng.randn(2, 6, 7, 13), Tensor.of(1, 999), given).shape()).containsExactly(2, 6, 7, 13);
        }
    }

    @Test
    void namesTheInputThatIsMissing() {
        JsonNode c = Fixture.cases(FOLDER).get(0);
        try (var scope = new Scope(); Weights weights = Fixture.seeded(w -> new GlideUNet(w, config(c)), 1)) {
            GlideUNet unet = new GlideUNet(weights, config(c));
            Conditioning text = Conditioning.text(Tensor.zeros(1, 7, 12));
            assertThatIllegalArgumentException().isThrownBy(() -> unet.forward(Tensor.zeros(1, 6, 8, 8), Tensor.of(1), text))
                    .withMessage("this U-Net needs a label to look at, and was given none");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            class_embed_type        | "fourier"         | fourier         | null or one of [table, timestep, identity, projection, \
            simple_projection]
            class_embed_type        | "projection"      | missing         | the width of the label
            addition_embed_type     | "text_time"       | "text_time"     | x
            encoder_hid_dim_type    | "ip_image_proj"   | x               | x
            time_cond_proj_dim      | 256               | 256             | null (nothing else is supported)
            timestep_post_act       | "silu"            | "silu"          | null (nothing else is supported)
            cross_attention_norm    | "layer_norm"      | "layer_norm"    | group_norm (nothing else is supported)
            class_embeddings_concat | true              | true            | false (nothing else is supported)
            time_embedding_type     | "fourier"         | "fourier"       | positional (nothing else is supported)
            resnet_time_scale_shift | "ada_group"       | ada_group       | default or scale_shift
            mid_block_type          | "UNetMidBlock2DCrossAttn" | UNetMidBlock2DCrossAttn | UNetMidBlock2DSimpleCrossAttn, \
            UNetMidBlock2D or null
            down_block_types        | ["DownBlock2D"]   | [DownBlock2D]   | 3 of [SimpleCrossAttnDownBlock2D, ResnetDownsampleBlock2D]
            """)
    void valuesThatThisNetworkDoesNotHaveAreRefused(String key, String value, String shown, String wanted) {
        String message = assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> GlideUNetConfig.of(edited(key, value))).actual().getMessage();
        assertThat(message).startsWith("unet: key '").contains("' is ").doesNotContain("\n");
        if (!wanted.equals("x")) {
            assertThat(message).endsWith(" is " + shown + ", where " + wanted + " is wanted");
        }
    }

    @Test
    void namesWidthsThatDoNotDivide() {
        assertThatIllegalArgumentException().isThrownBy(() -> GlideUNetConfig.of(edited("attention_head_dim", "5")))
                .withMessage("level 2: 16 channels cannot be divided into heads of 5");
        assertThatIllegalArgumentException().isThrownBy(() -> GlideUNetConfig.of(edited("cross_attention_dim", "48")))
                .withMessage("level 2: cross_attention_norm divides cross_attention_dim 48 into 32 groups, so it must be a multiple of them");
        assertThatIllegalArgumentException().isThrownBy(() -> GlideUNetConfig.of(edited("addition_embed_type_num_heads", "5")))
                .withMessage("addition_embed_type_num_heads 5 does not divide the 12 channels of the text states");
        assertThatIllegalArgumentException().isThrownBy(() -> GlideUNetConfig.of(edited("cross_attention_dim", "[32, 64, 32]")))
                .withMessage("encoder_hid_dim 12 is projected to one cross_attention_dim, not to [32, 64, 32]");
    }

    private static ConfigJson edited(String key, String value) {
        ObjectNode json = Fixture.cases(FOLDER).get(0).get("config").deepCopy();
        try {
            json.set(key, new ObjectMapper().readTree(value));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(value, e);
        }
        return new ConfigJson("unet", json);
    }

    @Test
    void publishedSizesOfDeepFloyd() {
        assertThat(count(192, 384, 576, 768)).isEqualTo(List.of(371_605_830L, 775L));
        assertThat(count(320, 640, 960, 1280)).isEqualTo(List.of(935_365_830L, 775L));
        assertThat(count(704, 1408, 2112, 2816)).isEqualTo(List.of(4_304_695_110L, 775L));
    }

    // Numbers, and tensors.
    private static List<Long> count(int... widths) {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("layers_per_block", 3).put("attention_head_dim", 64).put("act_fn", "gelu")
                .put("in_channels", 3).put("out_channels", 6).put("cross_attention_dim", widths[3]).put("encoder_hid_dim", 4096)
                .put("addition_embed_type", "text").put("addition_embed_type_num_heads", 64).put("cross_attention_norm", "group_norm")
                .put("resnet_time_scale_shift", "scale_shift").put("mid_block_type", "UNetMidBlock2DSimpleCrossAttn");
        for (int width : widths) {
            json.withArray("block_out_channels").add(width);
        }
        json.putArray("down_block_types").add("ResnetDownsampleBlock2D");
        for (int i = 0; i < 3; i++) {
            json.withArray("down_block_types").add("SimpleCrossAttnDownBlock2D");
            json.withArray("up_block_types").add("SimpleCrossAttnUpBlock2D");
        }
        json.withArray("up_block_types").add("ResnetUpsampleBlock2D");
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new GlideUNet(weights, GlideUNetConfig.of(new ConfigJson("published", json)));
            return List.of(weights.count(), (long) weights.parameters().size());
        }
    }
}
