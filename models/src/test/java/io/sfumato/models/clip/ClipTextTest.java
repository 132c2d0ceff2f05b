package io.sfumato.models.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
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
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The text tower against transformers', from golden/clip. */
class ClipTextTest {
    private static final Path CLIP = Golden.file("clip/golden.json").getParent();
    private static final double TOLERANCE = 1e-5;

    private final Scope scope = new Scope();
    private final SafeTensors golden = SafeTensors.open(CLIP.resolve("golden.safetensors"));
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        golden.close();
        scope.close();
    }

    private ClipText open(String folder, ClipText.Config config, Predicate<String> extras) {
        TensorSource file = Fixture.weights(CLIP.resolve(folder));
        Weights weights = Weights.load(file, DType.F32, Device.CPU);
        opened.addAll(List.of(weights, file));
        return weights.build(w -> new ClipText(w, config), extras);
    }

    private ClipText open(String folder) {
        return open(folder, ClipText.Config.of(Fixture.config(CLIP.resolve(folder))), name -> false);
    }

    private static JsonNode golden(String name) {
        return Fixture.cases(CLIP).stream().filter(c -> c.get("name").asText().equals(name)).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({"text_encoder, text_encoder", "text_encoder_new_names, text_encoder",
            "text_encoder_with_projection, text_encoder_with_projection",
            "text_encoder_legacy_eos2, text_encoder_legacy_eos2",
            "text_encoder_legacy_eos2_with_projection, text_encoder_legacy_eos2_with_projection"})
    void equalsTransformers(String folder, String name) {
        ClipText text = open(folder);
        JsonNode c = golden(name);
        Tensor ids = Fixture.tensor(golden, c, "input_ids");
        Tensor last = text.forward(ids, 0), pooled = text.pool(last, ids);
        Tensor[] states = text.hiddenStates(ids);
        assertThat(states).hasSize(text.config().layers() + 1);
        Fixture.assertClose("last_hidden_state", last, Fixture.tensor(golden, c, "last_hidden_state"), TOLERANCE);
        Fixture.assertClose("penultimate", states[text.config().layers() - 1], Fixture.tensor(golden, c, "penultimate"), TOLERANCE);
        if (text.config().projection() == 0) {
            Fixture.assertClose("pooler_output", pooled, Fixture.tensor(golden, c, "pooler_output"), TOLERANCE);
        } else {
            Fixture.assertClose("text_embeds", text.project(pooled), Fixture.tensor(golden, c, "text_embeds"), TOLERANCE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model_quick_gelu", "model_gelu"})
    void theTextHalfOfAWholeClipLoadsToo(String folder) {
        ObjectNode config = (ObjectNode) JsonFile.read(CLIP.resolve(folder + "/config.json")).get("text_config");
        config.putArray("architectures").add("CLIPTextModelWithProjection");
        ClipText text = open(folder, ClipText.Config.of(new ConfigJson(folder, config)),
                name -> name.startsWith("vision_model.") || name.equals("visual_projection.weight") || name.equals("logit_scale"));
        JsonNode c = golden(folder);
        Tensor ids = Fixture.tensor(golden, c, "input_ids");
        Tensor last = text.forward(ids, 0);
        Fixture.assertClose("last", last, Fixture.tensor(golden, c, "text_last_hidden_no_mask"), TOLERANCE);
        // transformers' pooled state is projected here, and its embedding has length one.
        Tensor projected = text.project(text.pool(last, ids));
        Fixture.assertClose("pooled", projected, Fixture.tensor(golden, c, "text_pooled"), TOLERANCE);
        Tensor embeds = projected.div(projected.square().sum(true, -1).sqrt());
        Fixture.assertClose("embeds", embeds, Fixture.tensor(golden, c, "text_embeds"), TOLERANCE);
    }

    @Test
    void poolsAtTheFirstEndTokenOrAtTheLargestIdWhereTheConfigIsOld() {
        Tensor ids = Tensor.of(new long[] {5, 7, 6, 6, 1, 6, 9, 6}, 2, 4);
        Tensor last = Tensor.arange(8).to(DType.F32).view(2, 4, 1);
        assertThat(built(config(4, 6)).pool(last, ids).toFloats()).containsExactly(2, 5);
        assertThat(built(config(4, 2)).pool(last, ids).toFloats()).containsExactly(1, 6);
    }

    private ClipText built(ClipText.Config config) {
        var rng = new Rng(1);
        Weights weights = Weights.init(rng, Device.CPU);
        opened.addAll(List.of(weights, rng));
        return new ClipText(weights, config);
    }

    private static ClipText.Config config(int heads, int endToken) {
        return new ClipText.Config(10, 8, 8, 16, 2, heads, Activation.GELU, 1e-5, 0, endToken);
    }

    @Test
    void clipSkipLeavesLastLayersOutAndKeepsTheNorm() {
        ClipText text = built(config(2, 9));
        Tensor ids = Tensor.of(new long[] {1, 2, 9}, 1, 3);
        // A fresh norm only standardises.
        Tensor normal = Functional.layerNorm(text.hiddenStates(ids)[1], Tensor.ones(8), Tensor.zeros(8), 1e-5);
        Fixture.assertClose("skip 1", text.forward(ids, 1), normal, 1e-6);
    }

    @Test
    void laterTokensDoNotChangeEarlierStates() {
        ClipText text = built(config(2, 9));
        Tensor a = text.forward(Tensor.of(new long[] {1, 2, 3, 4}, 1, 4), 0), b = text.forward(Tensor.of(new long[] {1, 2, 7}, 1, 3), 0);
        Fixture.assertClose("first two", a.narrow(1, 0, 2), b.narrow(1, 0, 2), 1e-6);
    }

    @Test
    void wrongInputsAreNamed() {
        ClipText text = built(config(2, 9));
        Tensor ids = Tensor.of(new long[9], 1, 9), few = ids.narrow(1, 0, 3);
        assertThatIllegalArgumentException().isThrownBy(() -> text.forward(ids, 0))
                .withMessage("9 tokens, where the text encoder has 8 positions");
        for (int skip : new int[] {-1, 2, 3}) {
            assertThatIllegalArgumentException().isThrownBy(() -> text.forward(few, skip))
                    .withMessage("clip skip " + skip + ": this text encoder has 2 layers, so 0 to 1 may be skipped");
        }
        assertThatIllegalStateException().isThrownBy(() -> text.project(Tensor.zeros(1, 8)))
                .withMessage("this text encoder has no text_projection");
    }

    @Test
    void wrongConfigsAreNamed() {
        for (int heads : new int[] {0, 3, -2}) {
            assertThatIllegalArgumentException().isThrownBy(() -> config(heads, 9))
                    .withMessage("hidden_size 8 is not divisible by num_attention_heads " + heads);
        }
        var json = (ObjectNode) JsonFile.read(CLIP.resolve("text_encoder/config.json"));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ClipText.Config.of(new ConfigJson("config.json", json.put("hidden_act", "selu"))))
                .withMessage("config.json: key 'hidden_act' is selu, where one of silu, swish, gelu, gelu_new, gelu_pytorch_tanh, "
                        + "quick_gelu, relu is wanted");
    }

    @Test
    void filesThatDoNotFitAreReportedWhole() {
        ClipText.Config c = open("text_encoder").config();
        ClipText.Config other = new ClipText.Config(c.vocabulary(), 80, c.width(), c.hidden(), 2, c.heads(), c.activation(), c.eps(), 16,
                c.endToken());
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> open("text_encoder", other, name -> false))
                .withMessageMatching(".*text_encoder.model\\.safetensors: 18 tensors do not fit the config: "
                        + "wrong shape text_model\\.embeddings\\.position_embedding\\.weight: \\[77, 24] where \\[80, 24] is wanted; "
                        + "missing text_projection\\.weight \\[16, 24]; unexpected text_model\\.encoder\\.layers\\.2\\..*");
    }

    @Test
    void aFreshTowerHasTheParametersOfTheFileAndGradientsReachThemAll() {
        Path folder = CLIP.resolve("text_encoder_with_projection");
        try (var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU); TensorSource file = Fixture.weights(folder)) {
            ClipText text = new ClipText(fresh, ClipText.Config.of(Fixture.config(folder)));
            Fixture.assertSameParameters(fresh.parameters(), file);
            Tensor ids = Fixture.tensor(golden, golden("text_encoder"), "input_ids");
            Fixture.assertGradientsReachAll(fresh.parameters(), text.project(text.pool(text.forward(ids, 0), ids)));
        }
    }

    @Test
    void nothingIsLeftAfterForward() {
        ClipText text = open("text_encoder_with_projection");
        Tensor ids = Fixture.tensor(golden, golden("text_encoder"), "input_ids");
        Fixture.assertNothingIsLeft(() -> text.project(text.pool(text.forward(ids, 1), ids)));
    }

    @Test
    void publishedSizes() {
        assertThat(count(new ClipText.Config(49408, 77, 768, 3072, 12, 12, Activation.QUICK_GELU, 1e-5, 0, 2))).isEqualTo(123_060_480);
        assertThat(count(new ClipText.Config(49408, 77, 1024, 4096, 23, 16, Activation.GELU, 1e-5, 0, 2))).isEqualTo(340_387_840);
    }

    private static long count(ClipText.Config config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new ClipText(weights, config);
            return weights.count();
        }
    }
}
