package io.sfumato.models.llamagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
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
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** LlamaGen's GPT and tokenizer against LlamaGen's own code. */
class LlamaGenTest {
    private static final Path LLAMAGEN = Fixture.PIPELINES.resolve("llamagen");

    private static void with(String type, Consumer<LlamaGen> work) {
        LlamaGen.Config config = config(type);
        try (TensorSource file = TorchPickle.open(LLAMAGEN.resolve("gpt_" + type + ".pt"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            work.accept(weights.build(w -> new LlamaGen(w, config), name -> false));
        }
    }

    private static LlamaGen.Config config(String type) {
        return LlamaGen.Config.of(new ConfigJson(type, JsonFile.read(LLAMAGEN.resolve("golden.json")).get("gpt_config").get(type)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"c2i_logits", "t2i_logits_left_padded", "t2i_logits_no_mask"})
    void logitsEqualTheReferencesAtOnceAndStepByStep(String name) {
        JsonNode c = Fixture.named(LLAMAGEN, name);
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(LLAMAGEN.resolve("golden.safetensors"))) {
            with(name.substring(0, 3), gpt -> {
                Tensor wanted = Fixture.tensor(golden, c, "logits");                                    // (2B, N, V)
                Tensor given = Fixture.tensor(golden, c, c.get("tensors").has("labels") ? "labels" : "text_features");
                Tensor condition = Tensor.cat(0, gpt.condition(given), gpt.emptyCondition(given.size(0)));
                int slots = gpt.config().condition().slots();
                Tensor visible = c.get("tensors").has("text_mask") ? Fixture.tensor(golden, c, "text_mask").repeat(2, 1)
                        : Tensor.ones(condition.size(0), slots);
                Tensor codes = Fixture.tensor(golden, c, "tokens").unsqueeze(0).expand(condition.size(0), -1);
                Fixture.assertClose("at once", atOnce(gpt, condition, visible, codes), wanted, 3e-5);
                Fixture.assertClose("cached", stepByStep(gpt, condition, visible, codes), wanted, 3e-5);
            });
        }
    }

    private static Tensor atOnce(LlamaGen gpt, Tensor condition, Tensor visible, Tensor codes) {
        int slots = (int) condition.size(1), n = (int) codes.size(1);
        Tensor x = Tensor.cat(1, condition, gpt.embed(codes.narrow(1, 0, n - 1)));
        x = gpt.forward(x, 0, LlamaGen.mask(visible, 0, slots + n - 1), i -> Past.NONE);
        return gpt.logits(x.narrow(1, slots - 1, n));
    }

    private static Tensor stepByStep(LlamaGen gpt, Tensor condition, Tensor visible, Tensor codes) {
        LlamaGen.Config c = gpt.config();
        int slots = (int) condition.size(1), n = (int) codes.size(1);
        List<Tensor> logits = new ArrayList<>();
        try (KvCache cache = new KvCache(c.layers(), condition.size(0), c.kvHeads(), c.headWidth(), slots + n, condition)) {
            Tensor x = gpt.forward(condition, 0, LlamaGen.mask(visible, 0, slots), cache::layer);
            logits.add(gpt.logits(x.narrow(1, slots - 1, 1)));
            for (int i = 0; i < n - 1; i++) {
                x = gpt.forward(gpt.embed(codes.narrow(1, i, 1)), slots + i, LlamaGen.mask(visible, slots + i, 1), cache::layer);
                logits.add(gpt.logits(x));
            }
            return Tensor.cat(1, logits.toArray(Tensor[]::new));
        }
    }

    @Test
    void theTokenizerEqualsTheReferences() {
        JsonNode c = Fixture.named(LLAMAGEN, "vq");
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(LLAMAGEN.resolve("golden.safetensors"));
                TensorSource file = TorchPickle.open(LLAMAGEN.resolve("vq.pt"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            VqGan.Config config = VqGan.Config.llamaGen(file);
            VqGan vq = weights.build(w -> new VqGan(w, config), VqGan::isExtra);
            Tensor picture = Fixture.tensor(golden, c, "input_uint8").permute(2, 0, 1).unsqueeze(0).to(DType.F32).div(255);
            Tensor indices = Fixture.tensor(golden, c, "indices");
            Fixture.assertClose("latents", vq.latents(picture.mul(2).sub(1)), Fixture.tensor(golden, c, "before_quantizing"), 1e-5);
            assertThat(vq.encode(picture).toLongs()).isEqualTo(indices.toLongs());
            Fixture.assertClose("quantized", vq.quantized(indices), Fixture.tensor(golden, c, "quantized"), 1e-6);
            Fixture.assertClose("decoded", vq.picture(vq.quantized(indices)), Fixture.tensor(golden, c, "decoded"), 2e-5);
        }
    }

    @Test
    void aPublishedFileTellsItsSizes() {
        try (TensorSource file = TorchPickle.open(LLAMAGEN.resolve("gpt_c2i.pt"))) {
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> LlamaGen.Config.of(file, 6))
                    .withMessageEndingWith("gpt_c2i.pt: the number of heads does not stand in the file: a config.json with n_head is wanted"
                            + " beside it");
        }
        LlamaGen.Config xl = published(1280, 36, 20, 2048);
        assertThat(count(xl)).isBetween(770_000_000L, 780_000_000L);
        assertThat(xl.hidden()).isEqualTo(3584);
    }

    private static LlamaGen.Config published(int width, int layers, int heads, int captions) {
        return LlamaGen.Config.of(Fixture.json("{'dim': %d, 'n_layer': %d, 'n_head': %d, 'model_type': 't2i', 'caption_dim': %d,"
                .formatted(width, layers, heads, captions) + " 'cls_token_num': 120, 'vocab_size': 16384}"));
    }

    private static long count(LlamaGen.Config config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new LlamaGen(weights, config);
            return weights.count();
        }
    }

    @Test
    void groupedHeadsAreTheSameCachedAndAtOnceAndLeaveNothing() {
        var config = new LlamaGen.Config(24, 2, 6, 2, 20, 15, 3, new LlamaGen.Captions(5, 4), 10000, 1e-5);
        try (var scope = new Scope(); var rng = new Rng(2); Weights fresh = Weights.init(rng, Device.CPU)) {
            LlamaGen gpt = new LlamaGen(fresh, config);
            Tensor condition = gpt.condition(rng.randn(2, 4, 5)).detach(), codes = rng.randint(0, 15, 2, 9);
            Tensor visible = Tensor.of(new float[] {0, 0, 1, 1, 1, 1, 1, 1}, 2, 4);
            Tensor whole = atOnce(gpt, condition, visible, codes).detach();
            Fixture.assertClose("cached", stepByStep(gpt, condition, visible, codes).detach(), whole, 1e-5);
            Fixture.assertNothingIsLeft(() -> stepByStep(gpt, condition, visible, codes));
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        refused("{'model_type': 'v2i'}", "test: key 'model_type' is v2i, where c2i or t2i is wanted");
        refused("{'block_size': 200}", "test: key 'block_size' is 200, where the square of a row of codes is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> published(30, 2, 4, 8)).withMessage("dim 30 must be a multiple of four times"
                + " n_head 4, and n_layer 2, vocab_size 16384 and the grid 16 at least 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LlamaGen.Config.of(Fixture.json("{'dim': 32, 'n_head': 4, 'n_kv_head': 3}")))
                .withMessage("n_kv_head 3 does not divide n_head 4");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> LlamaGen.Config.of(Fixture.empty(), 16))
                .withMessage("an empty checkpoint: no GPT of LlamaGen: there is no matrix tok_embeddings.weight");
    }

    private static void refused(String json, String message) {
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> LlamaGen.Config.of(Fixture.json(json))).withMessage(message);
    }
}
