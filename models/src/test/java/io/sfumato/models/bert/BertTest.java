package io.sfumato.models.bert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.Golden;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.OnnxWeights;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.nn.Activation;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.WordPiece;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** all-MiniLM-L6-v2 out of its jar against onnxruntime's run of the same file, from golden/bert. */
class BertTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Bert.Config SMALL = new Bert.Config(20, 9, 2, 8, 12, 2, 2, Activation.GELU, 1e-12);
    private static final double TOLERANCE = 1e-5;

    private static Path file;
    private static Weights weights;
    private static Bert bert;
    private static WordPiece tokenizer;

    @BeforeAll
    static void open(@TempDir Path folder) throws IOException {
        file = folder.resolve("model.onnx");
        try (InputStream model = resource("all-minilm-l6-v2.onnx"); InputStream json = resource("all-minilm-l6-v2-tokenizer.json")) {
            Files.copy(model, file);
            tokenizer = WordPiece.read(json);
        }
        try (OnnxWeights onnx = OnnxWeights.open(file)) {
            weights = Weights.load(onnx, DType.F32, Device.CPU);
            bert = weights.build(w -> new Bert(w, Bert.Config.MINI_LM), Bert.Config.MINI_LM::isExtra);
        }
    }

    @AfterAll
    static void close() {
        weights.close();
    }

    private static InputStream resource(String name) {
        return BertTest.class.getResourceAsStream("/" + name);
    }

    @Test
    void isAllOfTheModel() {
        assertThat(weights.count()).isEqualTo(22_565_376);
        assertThat(weights.parameters()).hasSize(5 + 6 * 16);
    }

    @Test
    void tokensAreThoseOfTheTokenizersLibrary() throws IOException {
        for (JsonNode text : JSON.readTree(Golden.file("bert/texts.json").toFile())) {
            assertThat(tokenizer.encode(text.get("text").asText(), 512).ids()).as(text.get("text").asText())
                    .isEqualTo(JSON.convertValue(text.get("ids"), int[].class));
        }
    }

    @Test
    void statesAreThoseOfOnnxruntime() throws IOException {
        try (SafeTensors golden = SafeTensors.open(Golden.file("bert/golden.safetensors")); Scope scope = new Scope()) {
            JsonNode texts = JSON.readTree(Golden.file("bert/texts.json").toFile());
            for (int i = 0; i < texts.size(); i++) {
                if (golden.names().contains("states." + i)) {
                    Tensor ids = Tensor.of(JSON.convertValue(texts.get(i).get("ids"), int[].class)).unsqueeze(0);
                    Fixture.assertClose(texts.get(i).get("text").asText(), bert.forward(ids, Tensor.zeros(ids.shape())),
                            golden.get("states." + i), TOLERANCE);
                }
            }
        }
    }

    /** Of the third token of "a duck and a cat", as onnxruntime has them within the file's graph. */
    @ParameterizedTest
    @CsvSource({"0, 11918592, 0.43947282, -0.22500724, 0.8727172, -0.4098601",
        "2, 15467520, 0.22552712, -0.50070703, 0.23985964, 0.19240396"})
    void theFirstLayersAreASmallerModel(int layers, long parameters, double a, double b, double c, double d) throws IOException {
        Bert.Config config = Bert.Config.MINI_LM.withLayers(layers);
        try (OnnxWeights onnx = OnnxWeights.open(file); Weights some = Weights.load(onnx, DType.F32, Device.CPU);
                Scope scope = new Scope()) {
            Bert smaller = some.build(w -> new Bert(w, config), config::isExtra);
            Tensor ids = Tensor.of(tokenizer.encode("a duck and a cat", 512).ids()).unsqueeze(0);
            double[] states = smaller.forward(ids, Tensor.zeros(ids.shape())).narrow(1, 2, 1).narrow(2, 0, 4).toDoubles();
            assertThat(states).containsExactly(new double[] {a, b, c, d}, within(TOLERANCE));
        }
        assertThat(config.parameters()).isEqualTo(parameters);
        assertThat(config.isExtra("encoder.layer." + layers + ".output.dense.bias")).isTrue();
    }

    @Test
    void paddingIsNotSeen() {
        try (SafeTensors golden = SafeTensors.open(Golden.file("bert/golden.safetensors")); Scope scope = new Scope()) {
            Tensor mask = golden.get("batch.mask").to(DType.F32);                                           // (B, L)
            Tensor states = bert.forward(golden.get("batch.ids"), mask.sub(1).mul(1e9));
            Tensor real = mask.unsqueeze(2);
            Fixture.assertClose("states", states.mul(real), golden.get("batch.states").mul(real), TOLERANCE);
        }
    }

    @Test
    void nothingIsLeftOfAForwardPass() {
        try (Scope scope = new Scope()) {
            Tensor ids = Tensor.of(101, 1037, 102).unsqueeze(0), none = Tensor.zeros(1, 3);
            Fixture.assertNothingIsLeft(() -> bert.forward(ids, none));
        }
    }

    @Test
    void aFreshOneOfOtherSizesCanBeTrained() {
        try (Rng rng = new Rng(1); Scope scope = new Scope(); Weights fresh = Weights.init(rng, Device.CPU)) {
            Bert small = new Bert(fresh, SMALL);
            Tensor states = small.forward(Tensor.of(new long[] {1, 2, 3, 4, 5, 6}, 2, 3), Tensor.zeros(2, 3));
            assertThat(states.shape()).containsExactly(2, 3, 8);
            states.mul(Tensor.linspace(-1, 1, 48).sin().view(2, 3, 8)).sum().backward();
            assertThat(fresh.parameters().values()).allMatch(p -> p.hasGrad() && p.grad().isFinite());
        }
    }

    @Test
    void badInputIsToldInOneLine() throws IOException {
        try (Scope scope = new Scope()) {
            assertThatIllegalArgumentException().isThrownBy(() -> bert.forward(Tensor.zeros(DType.I64, 1, 513), Tensor.zeros(1, 513)))
                    .withMessage("513 tokens, where the text encoder has 512 positions");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new Bert.Config(20, 9, 2, 8, 12, 2, 3, Activation.GELU, 1e-12))
                .withMessage("hidden_size 8 is not divisible by num_attention_heads 3");
        assertThatIllegalArgumentException().isThrownBy(() -> SMALL.withLayers(3)).withMessage("3 layers of a text encoder that has 2");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Bert.Config.of(new ConfigJson("config.json", JSON.readTree("{\"is_decoder\": true}"))))
                .withMessage("config.json: key 'is_decoder' is true, where false (nothing else is supported) is wanted");
        assertThat(Bert.Config.of(new ConfigJson("config.json", JSON.readTree("""
                {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 6}"""))))
                .isEqualTo(Bert.Config.MINI_LM);
    }

    @Test
    void textsAreCutAtTheLengthAskedFor() {
        WordPiece.Encoded cut = tokenizer.encode("a duck and a cat", 5);
        assertThat(cut.ids()).containsExactly(101, 1037, 9457, 1998, 102);
        assertThat(cut.cut()).isEqualTo(2);
        assertThat(Arrays.stream(tokenizer.encode("", 5).ids())).containsExactly(101, 102);
    }

    @Test
    void anotherTokenizerIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> WordPiece.read(InputStream.nullInputStream()))
                .withMessageStartingWith("tokenizer.json: model.type is ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WordPiece.read(new ByteArrayInputStream("{\"model\": {\"type\": \"BPE\"}}".getBytes(StandardCharsets.UTF_8))))
                .withMessage("tokenizer.json: model.type is \"BPE\", where \"WordPiece\" is wanted");
    }
}
