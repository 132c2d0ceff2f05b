package io.sfumato.models.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The image tower against transformers', from golden/clip. */
class ClipVisionTest {
    private static final Path CLIP = Golden.file("clip/golden.json").getParent();
    private static final double TOLERANCE = 1e-5;

    private static ClipVision.Config config(String folder) {
        ObjectNode config = (ObjectNode) JsonFile.read(CLIP.resolve(folder + "/config.json")).get("vision_config");
        return ClipVision.Config.of(new ConfigJson(folder, config));
    }

    private static boolean ofText(String name) {
        return name.startsWith("text_model.") || name.equals("text_projection.weight") || name.equals("logit_scale");
    }

    @ParameterizedTest
    @ValueSource(strings = {"model_quick_gelu", "model_gelu"})
    void equalsTransformers(String folder) {
        JsonNode c = Fixture.named(CLIP, folder);
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(CLIP.resolve("golden.safetensors"));
                TensorSource file = Fixture.weights(CLIP.resolve(folder)); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            ClipVision vision = weights.build(w -> new ClipVision(w, config(folder)), ClipVisionTest::ofText);
            Tensor x = Fixture.tensor(golden, c, "pixel_values"), embeds = vision.embed(x);
            Fixture.assertClose("last", vision.forward(x), Fixture.tensor(golden, c, "vision_last_hidden"), TOLERANCE);
            Fixture.assertClose("pooled", embeds, Fixture.tensor(golden, c, "vision_pooled"), TOLERANCE);
            Tensor unit = embeds.div(embeds.square().sum(true, -1).sqrt());
            Fixture.assertClose("embeds", unit, Fixture.tensor(golden, c, "image_embeds"), TOLERANCE);
            Fixture.assertNothingIsLeft(() -> vision.embed(x));
            assertThatIllegalArgumentException().isThrownBy(() -> vision.embed(x.narrow(3, 0, 30)))
                    .withMessage("a picture of 30x32, where the image encoder sees 32x32");
        }
    }

    @Test
    void gradientsReachAllOfAFreshTower() {
        try (var scope = new Scope(); var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU)) {
            ClipVision vision = new ClipVision(fresh, config("model_gelu"));
            Fixture.assertGradientsReachAll(fresh.parameters(), vision.embed(rng.randn(2, 3, 32, 32)));
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> ClipVision.Config.of(Fixture.json("{'num_attention_heads': 5}")))
                .withMessage("hidden_size 768 is not divisible by num_attention_heads 5");
        assertThatIllegalArgumentException().isThrownBy(() -> ClipVision.Config.of(Fixture.json("{'patch_size': 300}")))
                .withMessage("patch_size 300 must be 1 to the image_size, 224");
    }

    @Test
    void publishedSizes() {
        // The image half of CLIP ViT-bigG/14, which Kandinsky 2.2 looks with.
        ClipVision.Config bigG = ClipVision.Config.of(Fixture.json("{'hidden_size': 1664, 'intermediate_size': 8192, 'projection_dim': 1280"
                + ", 'num_hidden_layers': 48, 'num_attention_heads': 16, 'patch_size': 14, 'hidden_act': 'gelu'}"));
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new ClipVision(weights, bigG);
            assertThat(weights.count()).isEqualTo(1_844_907_264L);
        }
    }
}
