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
import io.sfumato.io.JsonFile;
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
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The U-Net against diffusers', in variants that use every setting of its config. */
class UNet2DConditionTest {
    private static final Path VARIANTS = Fixture.PIPELINES.resolve("sd-variants");
    private static final Path SD1 = Fixture.PIPELINES.resolve("sd1/model/unet");

    static Stream<Arguments> cases() {
        return Fixture.cases(VARIANTS).stream().map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsDiffusers(String name, JsonNode c) {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(VARIANTS.resolve("golden.safetensors"))) {
            with(VARIANTS.resolve(c.get("model").asText()).resolve("unet"), unet -> {
                Tensor x = Fixture.tensor(golden, c, "unet_sample");
                Tensor t = Fixture.tensor(golden, c, "timesteps").narrow(0, 0, 1).expand(x.size(0));
                Tensor y = unet.forward(x, t, Fixture.tensor(golden, c, "unet_conditioning"));
                Fixture.assertClose(name, y, Fixture.tensor(golden, c, "unet_first"), 1e-5);
            });
        }
    }

    private static void with(Path folder, Consumer<UNet2DCondition> work) {
        try (TensorSource file = Fixture.weights(folder); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            UNetConfig config = UNetConfig.of(Fixture.config(folder));
            work.accept(weights.build(w -> new UNet2DCondition(w, config), name -> false));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "5, 7", "2, 9", "13, 3"})
    void anySizeComesBackAsItWas(int height, int width) {
        with(VARIANTS.resolve("four-levels/unet"), unet -> {
            try (var scope = new Scope(); var rng = new Rng(2)) {
                int in = unet.config().inChannels();
                Tensor x = rng.randn(2, in, height, width), context = rng.randn(2, 3, unet.config().contextWidths()[0]);
                Tensor y = unet.forward(x, Tensor.of(1, 999), context);
                assertThat(y.shape()).containsExactly(2, unet.config().outChannels(), height, width);
                assertThat(y.isFinite()).isTrue();
                Tensor second = unet.forward(x.narrow(0, 1, 1), Tensor.of(999), context.narrow(0, 1, 1));
                Fixture.assertClose("alone as in a batch", second, y.narrow(0, 1, 1), 1e-5);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"one-level", "plain-first", "three-levels", "four-levels", "linear-projection", "scale-shift", "half", "lists",
            "no-attention", "deep-vae"})
    void aFreshOneHasTheParametersOfTheFileAndGradientsReachThemAll(String model) {
        Path folder = VARIANTS.resolve(model + "/unet");
        UNetConfig config = UNetConfig.of(Fixture.config(folder));
        try (var scope = new Scope(); var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU);
                TensorSource file = Fixture.weights(folder)) {
            UNet2DCondition unet = new UNet2DCondition(fresh, config);
            Fixture.assertSameParameters(fresh.parameters(), file);
            Tensor x = rng.randn(2, config.inChannels(), 16, 24), context = rng.randn(2, 5, config.contextWidths()[0]);
            Fixture.assertGradientsReachAll(fresh.parameters(), unet.forward(x, Tensor.of(20, 700), context));
        }
    }

    @Test
    void nothingIsLeftAfterForward() {
        with(SD1, unet -> {
            try (var scope = new Scope(); var rng = new Rng(1)) {
                Tensor x = rng.randn(1, 4, 7, 9), context = rng.randn(1, 4, 32);
                Fixture.assertNothingIsLeft(() -> unet.forward(x, Tensor.of(500), context));
            }
        });
    }

    @Test
    void labelsAreAskedFor() {
        UNetConfig config = UNetConfig.of(edited("num_class_embeds", "20"));
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            UNet2DCondition unet = new UNet2DCondition(fresh, config);
            Tensor x = rng.randn(2, 4, 8, 8), t = Tensor.of(5, 5), context = rng.randn(2, 4, 32);
            assertThatIllegalArgumentException().isThrownBy(() -> unet.forward(x, t, context))
                    .withMessage("this U-Net wants a label for each picture, 0 to 19");
            UNetInput in = UNetInput.of(x, t, context).withLabel(Tensor.of(3, 4)), same = in.withLabel(Tensor.of(3, 3));
            Tensor y = unet.forward(in);
            assertThat(y.narrow(0, 0, 1).equal(unet.forward(same).narrow(0, 0, 1))).isTrue();
            assertThat(y.narrow(0, 1, 1).equal(unet.forward(same).narrow(0, 1, 1))).isFalse();
            Fixture.assertNothingIsLeft(() -> unet.forward(in));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lists", "three-levels", "four-levels", "linear-projection", "scale-shift", "plain-first", "one-level",
            "no-attention"})
    void goesOnWithFeaturesFromBelowAsDeepCacheDoes(String name) {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(Golden.file("unet-shortcuts/golden.safetensors"))) {
            with(VARIANTS.resolve(name + "/unet"), unet -> {
                Tensor context = golden.get(name + ".context");
                UNetInput first = UNetInput.of(golden.get(name + ".x"), Tensor.of(801, 801), context);
                UNet2DCondition.Evaluation whole = unet.evaluate(first);
                assertThat(whole.answer().equal(unet.forward(first))).isTrue();
                Fixture.assertClose("deep", whole.deep(), golden.get(name + ".deep"), 1e-5);
                assertThat(unet.shallow(first, whole.deep()).equal(whole.answer())).as("at the same timestep").isTrue();
                UNetInput later = UNetInput.of(golden.get(name + ".later"), Tensor.of(741, 741), context);
                Fixture.assertClose("shallow", unet.shallow(later, whole.deep()), golden.get(name + ".shallow"), 1e-5);
                Fixture.assertNothingIsLeft(() -> unet.shallow(later, unet.evaluate(first).deep()));
            });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lists", "three-levels", "four-levels", "linear-projection", "scale-shift", "plain-first", "one-level",
            "no-attention"})
    void mergesPlacesAtTheFullSize(String name) {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(Golden.file("unet-shortcuts/golden.safetensors"))) {
            with(VARIANTS.resolve(name + "/unet"), unet -> {
                UNetInput in = UNetInput.of(golden.get(name + ".x"), Tensor.of(801, 801), golden.get(name + ".context"));
                Tensor merged = unet.forward(in.withMerged(0.4));
                Fixture.assertClose("merged", merged, golden.get(name + ".merged"), 1e-5);
                assertThat(unet.config().downAttends()[0]).as("it does something").isEqualTo(!merged.equal(unet.forward(in)));
                UNetInput second = UNetInput.of(in.x().narrow(0, 1, 1), Tensor.of(801), in.context().narrow(0, 1, 1)).withMerged(0.4);
                Fixture.assertClose("alone as in a batch", unet.forward(second), merged.narrow(0, 1, 1), 1e-5);
                Fixture.assertNothingIsLeft(() -> unet.forward(in.withMerged(0.75)));
            });
        }
    }

    @Test
    void sharesThatCannotBeMergedAreRefused() {
        try (var scope = new Scope()) {
            UNetInput in = UNetInput.of(Tensor.ones(1, 4, 8, 8), Tensor.of(1), Tensor.ones(1, 4, 32));
            assertThatIllegalArgumentException().isThrownBy(() -> in.withMerged(0.8))
                    .withMessage("the share of merged places must be 0 to 0.75, not 0.8");
        }
    }

    @Test
    void filesThatDoNotFitAreReportedWhole() {
        UNetConfig config = UNetConfig.of(edited("layers_per_block", "2", "cross_attention_dim", "30"));
        try (TensorSource file = Fixture.weights(SD1); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> weights.build(w -> new UNet2DCondition(w, config), name -> false))
                    .withMessageContaining("diffusion_pytorch_model.safetensors: ")
                    .withMessageContaining("wrong shape down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight: "
                            + "[8, 32] where [8, 30] is wanted; ")
                    .withMessageContaining("missing down_blocks.1.resnets.1.conv1.weight [16, 16, 3, 3]; ").withMessageNotContaining("\n");
        }
        UNetConfig less = UNetConfig.of(edited("mid_block_type", "\"UNetMidBlock2D\""));
        try (TensorSource file = Fixture.weights(SD1); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> weights.build(w -> new UNet2DCondition(w, less), name -> false))
                    .withMessageContaining("unexpected mid_block.attentions.0.norm.bias; ");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            class_embed_type                     | "timestep"          | "timestep"        | null (nothing else is supported)
            addition_embed_type                  | "text_time"         | "text_time"       | null (nothing else is supported)
            encoder_hid_dim_type                 | "text_proj"         | "text_proj"       | null (nothing else is supported)
            time_cond_proj_dim                   | 256                 | 256             | null (nothing else is supported)
            timestep_post_act                    | "silu"              | "silu"            | null (nothing else is supported)
            time_embedding_act_fn                | "silu"              | "silu"            | null (nothing else is supported)
            cross_attention_norm                 | "group_norm"        | "group_norm"      | null (nothing else is supported)
            projection_class_embeddings_input_dim | 2816               | 2816            | null (nothing else is supported)
            dual_cross_attention                 | true                | true            | false (nothing else is supported)
            resnet_skip_time_act                 | true                | true            | false (nothing else is supported)
            class_embeddings_concat              | true                | true            | false (nothing else is supported)
            attention_type                       | "gated"             | "gated"           | default (nothing else is supported)
            time_embedding_type                  | "fourier"           | "fourier"         | positional (nothing else is supported)
            mid_block_scale_factor               | 1.5                 | 1.5             | 1 (nothing else is supported)
            resnet_out_scale_factor              | 2                   | 2.0             | 1 (nothing else is supported)
            resnet_time_scale_shift              | "ada_group"         | ada_group       | default or scale_shift
            mid_block_type                       | "UNetMidBlock2DSimpleCrossAttn" | UNetMidBlock2DSimpleCrossAttn | \
            UNetMidBlock2DCrossAttn, UNetMidBlock2D or null
            act_fn                               | "selu"              | selu            | \
            one of silu, swish, gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu
            down_block_types                     | ["DownBlock2D"]     | [DownBlock2D]   | 2 of [CrossAttnDownBlock2D, DownBlock2D]
            up_block_types                       | ["UpBlock2D", "AttnUpBlock2D"] | [UpBlock2D, AttnUpBlock2D] | \
            2 of [CrossAttnUpBlock2D, UpBlock2D]
            block_out_channels                   | []                  | []              | a list of whole numbers
            layers_per_block                     | [1]                 | [1]             | one whole number or 2 of them
            attention_head_dim                   | [1, 2, 4]           | [1,2,4]         | one whole number or 2 of them
            transformer_layers_per_block         | [1, 2, 1]           | [1,2,1]         | one whole number or 2 of them
            cross_attention_dim                  | [32]                | [32]            | one whole number or 2 of them
            only_cross_attention                 | [true]              | [true]          | true, false, or a list of 2
            norm_num_groups                      | "4"                 | "4"             | a whole number
            """)
    void valuesThatThisNetworkDoesNotHaveAreRefused(String key, String value, String shown, String wanted) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> UNetConfig.of(edited(key, value)))
                .withMessage("unet: key '" + key + "' is " + shown + ", where " + wanted + " is wanted");
    }

    @Test
    void projectsTheTextStatesAsDiffusersDoes() {
        Path folder = Golden.file("unet-text-projection/config.json").getParent();
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(folder.resolve("golden.safetensors"))) {
            with(folder, unet -> Fixture.assertClose("y", unet.forward(golden.get("x"), golden.get("t"), golden.get("context")),
                    golden.get("y"), 1e-5));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> UNetConfig.of(edited("encoder_hid_dim", "11", "cross_attention_dim", "[6, 8]")))
                .withMessage("encoder_hid_dim 11 is projected to one cross_attention_dim, not to [6, 8]");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> UNetConfig.of(edited("encoder_hid_dim", "11", "encoder_hid_dim_type", "\"image_proj\"")))
                .withMessage("unet: key 'encoder_hid_dim_type' is \"image_proj\", where text_proj (nothing else is supported) is wanted");
    }

    @Test
    void headsThatDoNotDivideTheChannelsAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> UNetConfig.of(edited("attention_head_dim", "3")))
                .withMessage("level 0: 8 channels cannot be divided among 3 heads");
    }

    private static ConfigJson edited(String... keysAndValues) {
        ObjectNode json = (ObjectNode) JsonFile.read(SD1.resolve("config.json"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            json.set(keysAndValues[i], parsed(keysAndValues[i + 1]));
        }
        return new ConfigJson("unet", json);
    }

    private static JsonNode parsed(String value) {
        try {
            return new ObjectMapper().readTree(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(value, e);
        }
    }

    @Test
    void publishedSizes() {
        ObjectNode sd15 = JsonNodeFactory.instance.objectNode().put("attention_head_dim", 8).put("cross_attention_dim", 768);
        assertThat(count(sd15)).isEqualTo(List.of(859_520_964L, 686L));
        ObjectNode sd21 = JsonNodeFactory.instance.objectNode().put("cross_attention_dim", 1024).put("use_linear_projection", true);
        sd21.putArray("attention_head_dim").add(5).add(10).add(20).add(20);
        assertThat(count(sd21)).isEqualTo(List.of(865_910_724L, 686L));
    }

    // Numbers, and tensors.
    private static List<Long> count(ObjectNode config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new UNet2DCondition(weights, UNetConfig.of(new ConfigJson("published", config)));
            return List.of(weights.count(), (long) weights.parameters().size());
        }
    }
}
