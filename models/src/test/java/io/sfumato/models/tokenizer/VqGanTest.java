package io.sfumato.models.tokenizer;

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
import io.sfumato.models.tokenizer.VqGan.Quantizer;
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

/** VQGANs against diffusers' VQModel in three sizes; names and sizes of the published files. */
class VqGanTest {
    private static final Path VQ = Path.of("src/test/resources/golden/vq");

    static Stream<Arguments> cases() {
        return Fixture.cases(VQ).stream().map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsDiffusers(String name, JsonNode c) {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(VQ.resolve("golden.safetensors"))) {
            with(VQ.resolve(name), vq -> {
                Tensor latents = vq.latents(Fixture.tensor(golden, c, "input"));
                Tensor indices = Fixture.tensor(golden, c, "indices"), reconstruction = Fixture.tensor(golden, c, "reconstruction");
                Fixture.assertClose("latents", latents, Fixture.tensor(golden, c, "latents"), 1e-5);
                assertThat(vq.codes(latents).toLongs()).isEqualTo(indices.toLongs());
                assertThat(vq.encode(Fixture.tensor(golden, c, "input").add(1).div(2)).toLongs()).isEqualTo(indices.toLongs());
                Fixture.assertClose("quantized", vq.quantized(indices), Fixture.tensor(golden, c, "quantized"), 1e-6);
                Fixture.assertClose("reconstruction", vq.picture(vq.quantized(indices)), reconstruction, 1e-5);
                Fixture.assertClose("decoded", vq.decode(indices), reconstruction.add(1).div(2).clamp(0, 1), 1e-5);
            });
        }
    }

    private static void with(Path folder, Consumer<VqGan> work) {
        try (TensorSource file = Fixture.weights(folder); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            VqGan.Config config = VqGan.Config.diffusers(Fixture.config(folder));
            work.accept(weights.build(w -> new VqGan(w, config), name -> false));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"attention", "three-levels", "no-middle"})
    void aFreshOneHasTheParametersOfTheFile(String model) {
        VqGan.Config config = VqGan.Config.diffusers(Fixture.config(VQ.resolve(model)));
        try (var scope = new Scope(); var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU);
                TensorSource file = Fixture.weights(VQ.resolve(model))) {
            new VqGan(fresh, config);
            Fixture.assertSameParameters(fresh.parameters(), file);
        }
    }

    @Test
    void nothingIsLeftAfterForward() {
        with(VQ.resolve("three-levels"), vq -> {
            try (var scope = new Scope(); var rng = new Rng(1)) {
                Tensor x = rng.rand(1, 3, 16, 12);
                Fixture.assertNothingIsLeft(() -> vq.decode(vq.encode(x)));
            }
        });
    }

    @Test
    void gumbelTakesTheLargestLogit() {
        ConfigJson params = Fixture.json("{'embed_dim': 5, 'n_embed': 9, 'kl_weight': 1e-8}"),
                dd = Fixture.json("{'z_channels': 5, 'ch': 32, 'ch_mult': [1, 2], 'num_res_blocks': 1, 'resolution': 16, "
                        + "'attn_resolutions': []}");
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            VqGan vq = new VqGan(fresh, VqGan.Config.taming(params, dd, Quantizer.GUMBEL));
            assertThat(fresh.parameters().get("quantize.embed.weight").shape()).containsExactly(9, 5);
            Tensor latents = rng.randn(1, 5, 2, 2);
            Tensor proj = fresh.parameters().get("quantize.proj.weight").view(9, 5), bias = fresh.parameters().get("quantize.proj.bias");
            Tensor logits = latents.view(5, 4).transpose(0, 1).matmul(proj.transpose(0, 1)).add(bias);
            assertThat(vq.codes(latents).toLongs()).isEqualTo(logits.argmax(1).toLongs());
            assertThat(vq.quantized(vq.codes(latents)).shape()).containsExactly(1, 5, 2, 2);
        }
    }

    @Test
    void publishedSizes() {
        ConfigJson dd = Fixture.json("{'z_channels': 256, 'resolution': 256, 'ch': 128, 'ch_mult': [1,1,2,2,4], 'num_res_blocks': 2,"
                + " 'attn_resolutions': [16], 'double_z': false, 'in_channels': 3, 'out_ch': 3, 'dropout': 0.0}");
        VqGan.Config f16 = VqGan.Config.taming(Fixture.json("{'embed_dim': 256, 'n_embed': 16384}"), dd, Quantizer.NEAREST);
        VqGan.Config amused = VqGan.Config.diffusers(Fixture.json("{'block_out_channels': [128, 256, 256, 512, 768], 'latent_channels': 64,"
                + "'layers_per_block': 2, 'num_vq_embeddings': 8192, 'mid_block_add_attention': false,"
                + "'down_block_types': ['DownEncoderBlock2D','DownEncoderBlock2D','DownEncoderBlock2D','DownEncoderBlock2D',"
                + "'DownEncoderBlock2D'], 'up_block_types': ['UpDecoderBlock2D','UpDecoderBlock2D','UpDecoderBlock2D','UpDecoderBlock2D',"
                + "'UpDecoderBlock2D']}"));
        assertThat(count(f16)).isEqualTo(List.of(76_073_859L, 343L));
        assertThat(count(amused).get(0)).isEqualTo(146_244_675L);
    }

    // Numbers, and tensors.
    private static List<Long> count(VqGan.Config config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new VqGan(weights, config);
            return List.of(weights.count(), (long) weights.parameters().size());
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        refused(j -> j.put("norm_type", "layer"), "vqvae: key 'norm_type' is layer, where group or spatial is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> edited(j -> j.put("norm_type", "spatial").put("vq_embed_dim", 5)))
                .withMessage("vq_embed_dim 5 must be latent_channels 6 where the norms are spatial");
        refused(j -> j.putArray("up_block_types").add("UpDecoderBlock2D"),
                "vqvae: key 'up_block_types' is [UpDecoderBlock2D], where 2 of UpDecoderBlock2D and AttnUpDecoderBlock2D is wanted");
        refused(j -> j.put("out_channels", 4), "vqvae: key 'out_channels' is 4, where in_channels 3 is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> edited(j -> j.put("num_vq_embeddings", 0)))
                .withMessage("layers 1, codes 0, embedding 4 and z channels 6 must be at least 1");
        ConfigJson dd = Fixture.json("{'double_z': true}");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> VqGan.Config.taming(Fixture.json("{}"), dd,
                Quantizer.NEAREST))
                .withMessage("test: key 'double_z' is true, where false (nothing else is supported) is wanted");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> VqGan.Config.taming(Fixture.json("{'remap': 'used.npy'}"), Fixture.json("{}"), Quantizer.NEAREST))
                .withMessage("test: key 'remap' is used.npy, where no remapping of codes is wanted");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> VqGan.Config.llamaGen(Fixture.empty()))
                .withMessage("an empty checkpoint: no LlamaGen tokenizer: there is no tensor encoder.conv_in.weight");
    }

    @Test
    void aWrongCodebookIsNamed() {
        Path folder = VQ.resolve("attention");
        try (TensorSource file = Fixture.weights(folder); Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            VqGan.Config config = edited(j -> j.put("num_vq_embeddings", 25));
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> weights.build(w -> new VqGan(w, config), name -> false))
                    .withMessageEndingWith("1 tensor does not fit the config: "
                            + "wrong shape quantize.embedding.weight: [24, 4] where [25, 4] is wanted");
        }
    }

    private static void refused(Consumer<ObjectNode> edit, String message) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> edited(edit)).withMessage(message);
    }

    private static VqGan.Config edited(Consumer<ObjectNode> edit) {
        ObjectNode json = (ObjectNode) JsonFile.read(VQ.resolve("attention/config.json"));
        edit.accept(json);
        return VqGan.Config.diffusers(new ConfigJson("vqvae", json));
    }
}
