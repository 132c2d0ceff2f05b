package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Picking;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.autoregressive.TokenReader;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TorchPickle;
import io.sfumato.io.Weights;
import io.sfumato.models.t5.T5Encoder;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Models that write tokens draw the tokens of their own code: minDALL-E, min-dalle, LlamaGen. */
class TokenModelsTest {
    @TempDir
    private Path folder;

    static Stream<Arguments> minDallEKakao() {
        return cases("kakao", "num_candidates");
    }

    static Stream<Arguments> minDalle() {
        return cases("mindalle", "grid_size");
    }

    static Stream<Arguments> llamaGen() {
        return cases("llamagen", "grid");
    }

    private static Stream<Arguments> cases(String family, String key) {
        return StreamSupport.stream(JsonFile.read(Golden.file(family + "/golden.json")).get("cases").spliterator(), false)
                .filter(c -> c.has(key)).map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("minDallEKakao")
    void minDalleOfKakao(String name, JsonNode c) {
        Options o = Options.defaults().withSeed(c.get("seed").asLong()).withSeeds(Options.Seeds.SHARED)
                .withCount(c.get("num_candidates").asInt()).withPicking(new Picking(c.get("softmax_temperature").asDouble(),
                        c.get("top_k").asInt(0), c.get("top_p").isNull() ? 1 : c.get("top_p").asDouble(), Picking.ALL));
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(Golden.file("kakao/golden.safetensors"));
                TextToImage model = TextToImage.load(Golden.file("kakao/config.yaml").getParent().toString());
                Trace trace = Trace.recording()) {
            assertThat(model.generate(List.of(Prompt.of(c.get("prompt").asText())), o, Listener.none(), trace)).hasSize(o.count());
            check(trace, golden, c, 3e-5);
            assertClose("image", trace.tensors().get("image").permute(0, 2, 3, 1), tensor(golden, c, "image"), 5e-5);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("minDalle")
    void minDalleOfKuprel(String name, JsonNode c) throws IOException {
        copy(Golden.file("mindalle/golden.json").getParent());
        Files.writeString(folder.resolve("config.json"), "{\"encoder_attention_heads\": 4}");
        int grid = c.get("grid_size").asInt();
        JsonNode how = c.get("options");
        Options o = Options.defaults().withSeed(c.get("seed").asLong()).withSeeds(Options.Seeds.SHARED).withCount(grid * grid)
                .withGuidance(how.get("supercondition_factor").asDouble())
                .withPicking(new Picking(how.get("temperature").asDouble(), how.get("top_k").asInt(), 1, Picking.ALL));
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(Golden.file("mindalle/golden.safetensors"));
                TextToImage model = TextToImage.load(folder.toString()); Trace trace = Trace.recording()) {
            model.generate(List.of(Prompt.of(c.get("prompt").asText())), o, Listener.none(), trace);
            check(trace, golden, c, 2e-5);
            if (!how.get("is_seamless").asBoolean()) {
                Tensor wanted = tensor(golden, c, "image").div(255);
                for (int k = 0; k < grid * grid; k++) {
                    long side = wanted.size(0) / grid;
                    Tensor cell = wanted.narrow(0, k % grid * side, side).narrow(1, k / grid * side, side);
                    assertClose("image " + k, trace.tensors().get("image").select(0, k).permute(1, 2, 0), cell, 1e-5);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("llamaGen")
    void llamaGens(String name, JsonNode c) throws IOException {
        layLlamaGen(name.substring(0, 3));
        JsonNode how = c.get("options");
        Picking picking = new Picking(how.path("sample_logits").asBoolean(true) ? how.path("temperature").asDouble(1) : 0,
                how.path("top_k").asInt(0), how.path("top_p").asDouble(1),
                how.has("cfg_interval") ? how.get("cfg_interval").asInt() + 2 : Picking.ALL);
        Options o = Options.defaults().withSeed(c.get("seed").asLong()).withSeeds(Options.Seeds.SHARED)
                .withGuidance(how.path("cfg_scale").asDouble(1)).withPicking(picking);
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(Golden.file("llamagen/golden.safetensors"));
                Trace trace = Trace.recording();
                LlamaGenImages model = LlamaGenImages.open(new ModelFolder(folder), LoadOptions.defaults())) {
            TextToImage drawer = new TokenDrawer(c.get("tensors").has("labels") ? model : new Given(model, golden, c), Options.defaults());
            int[] labels = c.get("tensors").has("labels")
                    ? Arrays.stream(tensor(golden, c, "labels").toLongs()).mapToInt(x -> (int) x).toArray()
                    : new int[] {0, 1};
            List<Prompt> prompts = Arrays.stream(labels).mapToObj(label -> Prompt.of(String.valueOf(label))).toList();
            drawer.generate(prompts, o, Listener.none(), trace);
            check(trace, golden, c, 5e-5);
            assertClose("decoded", trace.tensors().get("image"), tensor(golden, c, "decoded").add(1).div(2).clamp(0, 1), 2e-5);
        }
    }

    /** LlamaGen with the text states of a case in place of a text encoder's. */
    private record Given(LlamaGenImages model, SafeTensors golden, JsonNode c) implements TokenModel {
        @Override
        public TokenReader read(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
            return model.captionReader(tensor(golden, c, "text_features"), tensor(golden, c, "text_mask"), o);
        }

        @Override
        public Codes codes() {
            return model.codes();
        }

        @Override
        public void check(Prompt prompt) {
            model.check(prompt);
        }

        @Override
        public void close() {
        }
    }

    private void layLlamaGen(String type) throws IOException {
        Files.copy(Golden.file("llamagen/vq.pt"), folder.resolve("vq.pt"));
        Files.copy(Golden.file("llamagen/gpt_" + type + ".pt"), folder.resolve("gpt_" + type + ".pt"));
        Files.writeString(folder.resolve("config.json"),
                JsonFile.read(Golden.file("llamagen/golden.json")).get("gpt_config").get(type).toString());
        if (type.equals("t2i")) {
            copyT5();
        }
    }

    /** A T5 of random weights, as wide as the GPT reads. */
    private void copyT5() throws IOException {
        Path t5 = Files.createDirectories(folder.resolve("t5"));
        for (String file : List.of("spiece.model", "tokenizer_config.json", "special_tokens_map.json")) {
            Files.copy(Path.of("../core/src/test/resources/golden/t5/tokenizer").resolve(file), t5.resolve(file));
        }
        ObjectNode config = (ObjectNode) JsonFile.read(Path.of("../models/src/test/resources/golden/t5/gated_gelu/config.json"));
        config.put("d_model", 12).put("vocab_size", 5000);
        Files.writeString(t5.resolve("config.json"), config.toString());
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            new T5Encoder(fresh, T5Encoder.Config.of(new ConfigJson("t5", config)));
            SafeTensors.write(t5.resolve("model.safetensors"), fresh.parameters(), Map.of());
        }
    }

    @Test
    void llamaGenReadsATextThatStandsAtTheEnd() throws IOException {
        layLlamaGen("t2i");
        try (var scope = new Scope(); TextToImage model = TextToImage.load(folder.toString()); Trace trace = Trace.recording()) {
            Options o = model.defaults().withCount(2).withSeed(3);
            List<Image> images = model.generate(List.of(Prompt.of("a cat")), o, Listener.none(), trace);
            Tensor text = trace.tensors().get("text_embeddings");
            assertThat(text.shape()).containsExactly(1, 120, 12);
            assertThat(text.select(1, 0).abs().sum().item()).isZero();
            assertThat(text.select(1, 119).abs().sum().item()).isPositive();
            // Each picture of a batch is the one that its seed draws alone.
            assertThat(images.get(1)).isEqualTo(model.generate(Prompt.of("a cat"), o.withSeed(4)));
        }
    }

    @Test
    void aPictureGoesOnFromItsTop() {
        try (var scope = new Scope(); TextToImage model = TextToImage.load(Golden.file("kakao/config.yaml").getParent().toString());
                Trace first = Trace.recording(); Trace second = Trace.recording()) {
            Options o = model.defaults().withSeed(5);
            Image picture = model.generate(List.of(Prompt.of("a cat")), o, Listener.none(), first).get(0);
            model.generate(List.of(Prompt.of("a dog").withInit(picture)), o.withStrength(0.5), Listener.none(), second);
            assertThat(second.tensors().get("tokens").shape()).containsExactly(1, 36);
            Options all = o.withStrength(1);
            assertThat(model.generate(Prompt.of("a cat").withInit(picture), all)).isEqualTo(picture);
        }
    }

    @Test
    void whatTheyCannotDoIsSaid() throws IOException {
        layLlamaGen("c2i");
        try (TextToImage model = TextToImage.load(folder.toString())) {
            Options o = model.defaults();
            refused(model, Prompt.of("a cat"), o, "this model draws classes: a number from 0 to 9 is wanted as the prompt, not 'a cat'");
            refused(model, Prompt.of("10"), o, "this model draws classes: a number from 0 to 9 is wanted as the prompt, not '10'");
            refused(model, Prompt.of("1"), o.withSize(16, 16), "this model draws 12x12, not 16x16");
            refused(model, Prompt.of("1"), o.withSampler("ddim"), "this model picks tokens: it has neither samplers nor schedules; "
                    + "temperature, top-k and top-p say how it picks");
        }
        try (var scope = new Scope(); TorchPickle file = TorchPickle.open(folder.resolve("gpt_c2i.pt"))) {
            Map<String, Tensor> tensors = new HashMap<>();
            file.names().forEach(name -> tensors.put(name, file.get(name)));
            SafeTensors.write(folder.resolve("gpt_c2i.safetensors"), tensors, Map.of());
        }
        TextToImage.load(folder.toString()).close();        // the same in two formats
        Files.delete(folder.resolve("gpt_c2i.safetensors"));
        Files.copy(Golden.file("llamagen/gpt_t2i.pt"), folder.resolve("t2i_XL.pt"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder + ": has 2 files named (gpt|c2i|t2i)*.pt or .safetensors, where one is wanted: [gpt_c2i.pt, "
                        + "t2i_XL.pt]");
        Files.delete(folder.resolve("gpt_c2i.pt"));
        Files.writeString(folder.resolve("config.json"),
                JsonFile.read(Golden.file("llamagen/golden.json")).get("gpt_config").get("t2i").toString());
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder + ": captions are read by FLAN-T5: a folder 't5' or 'flan-t5-xl' with it is wanted");
    }

    @Test
    void tokenizersOfOtherModelsAreRefused() throws IOException {
        copy(Golden.file("kakao/golden.json").getParent());
        Path config = folder.resolve("config.yaml");
        String yaml = Files.readString(config);
        Files.writeString(config, yaml.replace("vocab_size_img: 40", "vocab_size_img: 41"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(config + ": stage1 has 40 codes (n_embed), but stage2 writes 41 (vocab_size_img)");
        Files.writeString(config, yaml.replace("vocab_size_txt: 179", "vocab_size_txt: 100"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder.resolve("tokenizer") + ": has 176 words, where the Transformer reads 100 (vocab_size_txt)");
    }

    @Test
    void aPromptThatIsTooLongIsSaidWithItsPieces() {
        List<String> warnings = new ArrayList<>();
        try (TextToImage model = TextToImage.load(Golden.file("kakao/config.yaml").getParent().toString())) {
            model.generate(Prompt.of("storm, ".repeat(30)), model.defaults(), new Listener() {
                @Override
                public void onWarning(String warning) {
                    warnings.add(warning);
                }
            });
        }
        assertThat(warnings).containsExactly("the prompt has 90 tokens, of which 24 are read");
    }

    private static void refused(TextToImage model, Prompt prompt, Options o, String message) {
        assertThatIllegalArgumentException().isThrownBy(() -> model.complete(prompt, o)).withMessage(message);
    }

    private void copy(Path from) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path to = folder.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(to);
                } else {
                    Files.copy(file, to);
                }
            }
        }
    }

    private static Tensor tensor(SafeTensors golden, JsonNode c, String role) {
        return golden.get(c.get("tensors").get(role).asText());
    }

    private static void check(Trace trace, SafeTensors golden, JsonNode c, double tolerance) {
        assertThat(trace.tensors().get("tokens").toLongs()).isEqualTo(tensor(golden, c, "tokens").toLongs());
        assertClose("logits", trace.tensors().get("logits"), tensor(golden, c, "logits"), tolerance);
    }

    private static void assertClose(String what, Tensor actual, Tensor wanted, double tolerance) {
        assertThat(actual.shape()).as(what).isEqualTo(wanted.shape());
        double scale = Math.max(1, wanted.to(DType.F64).abs().amax(false).item());
        assertThat(actual.to(DType.F64).sub(wanted.to(DType.F64)).abs().amax(false).item()).as(what).isLessThanOrEqualTo(tolerance * scale);
    }
}
