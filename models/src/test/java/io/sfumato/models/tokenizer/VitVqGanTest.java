package io.sfumato.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigYaml;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.TorchPickle;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.models.tokenizer.VitVqGan.Side;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** ViT-VQGAN against the open replica. */
class VitVqGanTest {
    private static final Path VIT = Path.of("src/test/resources/golden/vitvqgan");
    private static final VitVqGan.Config TINY =
            new VitVqGan.Config(16, 24, 8, new Side(16, 1, 2, 24, 8), new Side(12, 2, 3, 20, 5), 6, 20, true, false, 1);

    static Stream<Arguments> cases() {
        return Fixture.cases(VIT).stream().map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsTheReplica(String name, JsonNode c) {
        VitVqGan.Config config = VitVqGan.Config.of(ConfigYaml.read(VIT.resolve(name + ".yaml")).child("model"));
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(VIT.resolve("golden.safetensors"));
                TensorSource file = TorchPickle.open(VIT.resolve(name + ".ckpt"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            VitVqGan vit = weights.build(w -> new VitVqGan(w, config), VqGan::isExtra);
            Tensor pictures = Fixture.tensor(golden, c, "input_uint8").permute(0, 3, 1, 2).to(DType.F32).div(255);
            Tensor codes = Fixture.tensor(golden, c, "codes"), latents = vit.latents(pictures);
            Fixture.assertClose("latents", latents, Fixture.tensor(golden, c, "before_quantizing"), 5e-6);
            assertThat(vit.codes(latents).toLongs()).isEqualTo(codes.toLongs());
            assertThat(vit.encode(pictures).toLongs()).isEqualTo(codes.toLongs());
            Fixture.assertClose("quantized", vit.quantized(codes), Fixture.tensor(golden, c, "quantized"), 1e-6);
            Fixture.assertClose("decoded", vit.decode(vit.encode(pictures)), Fixture.tensor(golden, c, "decoded").clamp(0, 1), 5e-6);
            Tensor given = Fixture.tensor(golden, c, "codes_given");
            Fixture.assertClose("given", vit.picture(vit.quantized(given)).clamp(0, 1),
                    Fixture.tensor(golden, c, "decoded_given").clamp(0, 1), 5e-6);
            Tensor places = file.get("encoder.en_pos_embedding");
            Fixture.assertClose("places", VitVqGan.places(config.height() / config.patch(), config.width() / config.patch(),
                    config.encoder().width()), places, 1e-6);
        }
    }

    /** In units of 100,000: 50.9, 170.7 and 655.4 million. */
    @Test
    void publishedSizes() {
        assertThat(Math.round(count(VitVqGan.Config.small()) / 1e5)).isEqualTo(509);
        assertThat(Math.round(count(VitVqGan.Config.base()) / 1e5)).isEqualTo(1707);
        assertThat(Math.round(count(VitVqGan.Config.large()) / 1e5)).isEqualTo(6554);
    }

    /** Without the tables of places, which are not trained. */
    private static long count(VitVqGan.Config config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new VitVqGan(weights, config);
            return weights.parameters().entrySet().stream().filter(e -> !e.getKey().endsWith("pos_embedding"))
                    .mapToLong(e -> e.getValue().numel()).sum();
        }
    }

    @Test
    void placesAreSinesAndCosinesOfTheColumnFirst() {
        float[] table = VitVqGan.places(2, 3, 8).toFloats();
        int place = 5 * 8;      // row 1, column 2
        assertThat(table[place]).isEqualTo((float) Math.sin(2));
        assertThat(table[place + 1]).isEqualTo((float) Math.sin(0.02));
        assertThat(table[place + 2]).isEqualTo((float) Math.cos(2));
        assertThat(table[place + 4]).isEqualTo((float) Math.sin(1));
        assertThat(table[place + 7]).isEqualTo((float) Math.cos(0.01));
    }

    @Test
    void nothingIsLeftAfterForward() {
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            VitVqGan vit = new VitVqGan(fresh, TINY);
            Tensor x = rng.rand(2, 3, 16, 24);
            assertThat(vit.encode(x).shape()).containsExactly(2, 2, 3);
            assertThat(vit.decode(vit.encode(x)).shape()).containsExactly(2, 3, 16, 24);
            Fixture.assertNothingIsLeft(() -> vit.decode(vit.encode(x)));
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        refused("{'target': 'enhancing.modules.stage1.vitvqgan.ViTVQGumbel'}", "test: key 'target' is "
                + "enhancing.modules.stage1.vitvqgan.ViTVQGumbel, where enhancing.modules.stage1.vitvqgan.ViTVQ is wanted");
        refused("{'params': {'patch_size': [8, 4]}}", "test: params: key 'patch_size' is 8x4, where a square is wanted");
        refused("{'params': {'encoder': {'dim': 8.5}}}", "test: params: encoder: key 'dim' is 8.5, where a whole number is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> new Side(6, 1, 1, 8, 8))
                .withMessage("dim 6 must be a multiple of 4; depth 1, heads 1, mlp_dim 8 and dim_head 8 at least 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new VitVqGan.Config(20, 16, 8, TINY.encoder(), TINY.decoder(), 6, 20, true, false, 1))
                .withMessage("image_size 20x16 must be a multiple of patch_size 8");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new VitVqGan.Config(16, 16, 8, TINY.encoder(), TINY.decoder(), 6, 0, true, false, 1))
                .withMessage("embed_dim 6, n_embed 0 and num_quantizers 1 must be at least 1");
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            VitVqGan vit = new VitVqGan(fresh, TINY);
            assertThatIllegalArgumentException().isThrownBy(() -> vit.encode(Tensor.zeros(1, 3, 16, 16)))
                    .withMessage("pictures of 16x16, where this tokenizer reads 24x16");
        }
    }

    private static void refused(String json, String message) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> VitVqGan.Config.of(Fixture.json(json)))
                .withMessage(message);
    }
}
