package io.sfumato.models.mindalle;

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
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.nn.KvCache;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** minDALL-E of Kakao Brain, both stages, against its own code. */
class MinDalleTest {
    private static final Path KAKAO = Fixture.PIPELINES.resolve("kakao");

    private static void with(Consumer<MinDalle> work) {
        MinDalle.Config config = MinDalle.Config.of(ConfigYaml.read(KAKAO.resolve("config.yaml")).child("stage2"));
        try (TensorSource file = TorchPickle.open(KAKAO.resolve("stage2_last.ckpt"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            work.accept(weights.build(w -> new MinDalle(w, config), name -> false));
        }
    }

    @Test
    void logitsEqualTheReferencesAtOnceAndStepByStep() {
        JsonNode c = Fixture.named(KAKAO, "logits");
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(KAKAO.resolve("golden.safetensors"))) {
            with(gpt -> {
                Tensor text = Fixture.tensor(golden, c, "text_ids"), codes = Fixture.tensor(golden, c, "codes");
                Tensor wanted = Fixture.tensor(golden, c, "logits"), wantedText = Fixture.tensor(golden, c, "logits_text");
                Tensor x = gpt.forward(Tensor.cat(1, gpt.text(text), gpt.image(codes, 0)), i -> Past.NONE);
                long length = text.size(1);
                Fixture.assertClose("image", gpt.imageLogits(x.narrow(1, length - 1, wanted.size(1))), wanted, 5e-6);
                Fixture.assertClose("text", gpt.textLogits(x.narrow(1, 0, wantedText.size(1))), wantedText, 5e-6);
                Fixture.assertClose("cached", stepByStep(gpt, text, codes), wanted, 5e-6);
                Fixture.assertNothingIsLeft(() -> stepByStep(gpt, text, codes));
            });
        }
    }

    private static Tensor stepByStep(MinDalle gpt, Tensor text, Tensor codes) {
        MinDalle.Config c = gpt.config();
        Tensor prompt = gpt.text(text);
        List<Tensor> logits = new ArrayList<>();
        int width = c.width() / c.heads();
        try (KvCache cache = new KvCache(c.layers(), text.size(0), c.heads(), width, c.textLength() + c.length(), prompt)) {
            Tensor x = gpt.forward(prompt, cache::layer);
            logits.add(gpt.imageLogits(x.narrow(1, x.size(1) - 1, 1)));
            for (int i = 0; i < codes.size(1) - 1; i++) {
                logits.add(gpt.imageLogits(gpt.forward(gpt.image(codes.narrow(1, i, 1), i), cache::layer)));
            }
            return Tensor.cat(1, logits.toArray(Tensor[]::new));
        }
    }

    @Test
    void theTokenizerEqualsTheReferences() {
        JsonNode c = Fixture.named(KAKAO, "stage1");
        var stage1 = ConfigYaml.read(KAKAO.resolve("config.yaml")).child("stage1");
        VqGan.Config config = VqGan.Config.taming(stage1, stage1.child("hparams"), VqGan.Quantizer.NEAREST);
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(KAKAO.resolve("golden.safetensors"));
                TensorSource file = TorchPickle.open(KAKAO.resolve("stage1_last.ckpt"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            VqGan vq = weights.build(w -> new VqGan(w, config), VqGan::isExtra);
            Tensor picture = Fixture.tensor(golden, c, "input_uint8").permute(0, 3, 1, 2).to(DType.F32).div(255);
            Tensor latents = vq.latents(picture.mul(2).sub(1));
            Tensor codes = Fixture.tensor(golden, c, "codes").view(latents.size(0), latents.size(2), latents.size(3));
            Fixture.assertClose("latents", latents, Fixture.tensor(golden, c, "before_quantizing"), 2e-5);
            assertThat(vq.encode(picture).toLongs()).isEqualTo(codes.toLongs());
            Fixture.assertClose("decoded", vq.picture(vq.quantized(codes)), Fixture.tensor(golden, c, "decoded"), 2e-5);
        }
    }

    @Test
    void publishedSizes() {
        var json = Fixture.json("{'type': 'transformer1d', 'vocab_size_txt': 16384, 'vocab_size_img': 16384}");
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new MinDalle(weights, MinDalle.Config.of(json));
            assertThat(Math.round(weights.count() / 1e5)).isEqualTo(12_911);
        }
    }

    @Test
    void gradientsReachAllParametersOfAFreshOne() {
        var config = MinDalle.Config.of(Fixture.json("{'vocab_size_txt': 9, 'vocab_size_img': 7, 'hparams': {'embed_dim': 12, "
                + "'n_layers': 2,"
                + " 'n_heads': 3, 'ctx_len_txt': 4, 'ctx_len_img': 4, 'mlp_bias': false, 'gelu_use_approx': true}}"));
        try (var scope = new Scope(); var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU)) {
            MinDalle gpt = new MinDalle(fresh, config);
            assertThat(fresh.parameters()).containsKey("blocks.0.attn.key.bias").doesNotContainKey("blocks.0.mlp.0.bias");
            // Keys' biases move all scores of a query alike.
            var parameters = new TreeMap<>(fresh.parameters());
            parameters.keySet().removeIf(name -> name.endsWith("key.bias"));
            Tensor text = gpt.text(Tensor.of(1, 2, 3, 4).view(1, 4)), codes = gpt.image(Tensor.of(0, 1, 2, 3).view(1, 4), 0);
            Tensor x = gpt.forward(Tensor.cat(1, text, codes), i -> Past.NONE);
            Fixture.assertGradientsReachAll(parameters, Tensor.cat(-1, gpt.imageLogits(x), gpt.textLogits(x)));
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        refused("{'type': 'igpt'}", "test: key 'type' is \"igpt\", where transformer1d (nothing else is supported) is wanted");
        refused("{'hparams': {'ctx_len_img': 8}}",
                "test: hparams: key 'ctx_len_img' is 8, where the square of a row of codes is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> MinDalle.Config.of(Fixture.json("{'hparams': {'embed_dim': 10}}")))
                .withMessage("embed_dim 10 must be a multiple of n_heads 24; n_layers 42, ctx_len_txt 64, vocab_size_txt 16384, "
                        + "vocab_size_img 16384 and the grid 16 at least 1");
    }

    private static void refused(String json, String message) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> MinDalle.Config.of(Fixture.json(json))).withMessage(message);
    }
}
