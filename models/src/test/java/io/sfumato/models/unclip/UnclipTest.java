package io.sfumato.models.unclip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.Golden;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.clip.ClipVision;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The networks of Karlo and Kandinsky 2.2 against diffusers' and transformers', as recorded in whole generations and in variants. */
class UnclipTest {
    private static final Path UNCLIP = Fixture.PIPELINES.resolve("unclip");
    private static final Path VARIANTS = Golden.file("unclip/golden.json").getParent();
    private static final double TOLERANCE = 1e-5;

    private final Scope scope = new Scope();
    private final SafeTensors golden = SafeTensors.open(UNCLIP.resolve("golden.safetensors"));
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        golden.close();
        scope.close();
    }

    private <M> M open(String folder, Function<ConfigJson, Function<Weights, M>> network) {
        TensorSource file = Fixture.weights(UNCLIP.resolve(folder));
        Weights weights = Weights.load(file, DType.F32, Device.CPU);
        opened.addAll(List.of(weights, file));
        return weights.build(network.apply(Fixture.config(UNCLIP.resolve(folder))), name -> false);
    }

    private PriorTransformer prior(String model) {
        return open(model + "/prior", json -> w -> new PriorTransformer(w, PriorTransformer.Config.of(json)));
    }

    /** Embeddings (B, E), states (B, L, E) and mask (B, L) of texts. */
    private record Texts(Tensor embeddings, Tensor states, Tensor mask) {
    }

    private Texts read(String model, String... texts) {
        ClipTokenizer tokenizer = ClipTokenizer.load(UNCLIP.resolve(model + "/tokenizer"));
        ClipText clip = open(model + "/text_encoder", json -> w -> new ClipText(w, ClipText.Config.of(json)));
        List<ClipTokenizer.Encoded> encoded = Stream.of(texts).map(tokenizer::encode).toList();
        Tensor ids = Tensor.stack(0, encoded.stream().map(e -> Tensor.of(e.ids())).toArray(Tensor[]::new));
        Tensor mask = Tensor.stack(0, encoded.stream().map(e -> Tensor.arange(ids.size(1)).lt(e.count()).to(DType.F32))
                .toArray(Tensor[]::new));
        Tensor states = clip.forward(ids, 0);
        return new Texts(clip.project(clip.pool(states, ids)), states, mask);
    }

    private static Tensor twice(Tensor x) {
        return Tensor.cat(0, x, x);
    }

    @Test
    void karlosPriorAndWhatItsDecoderIsTold() {
        Texts texts = read("karlo", "", "a teddy bear swimming in the ocean");
        Fixture.assertClose("text", texts.embeddings.narrow(0, 1, 1), golden.get("karlo/text_encoder"), TOLERANCE);
        Fixture.assertClose("hidden", texts.states.narrow(0, 1, 1), golden.get("karlo/text_hidden"), TOLERANCE);
        PriorTransformer prior = prior("karlo");
        Tensor x = twice(golden.get("karlo/random.000")), t = Tensor.of(999, 999);
        Fixture.assertClose("prior", prior.forward(x, t, texts.embeddings, texts.states, texts.mask), golden.get("karlo/prior_first"),
                TOLERANCE);
        Fixture.assertNothingIsLeft(() -> prior.forward(x, t, texts.embeddings, texts.states, texts.mask));
        TextProjection projection = open("karlo/text_proj", json -> w -> new TextProjection(w, TextProjection.Config.of(json)));
        Tensor image = Tensor.cat(0, projection.noImage(1), golden.get("karlo/image_embedding"));
        TextProjection.Told told = projection.forward(image, texts.embeddings, texts.states);
        Fixture.assertClose("states", told.states(), golden.get("karlo/text_proj_hidden"), TOLERANCE);
        Fixture.assertClose("label", told.label(), golden.get("karlo/text_proj_time"), TOLERANCE);
        Fixture.assertNothingIsLeft(() -> projection.forward(image, texts.embeddings, texts.states));
    }

    @Test
    void kandinskysPrior() {
        Texts texts = read("kandinsky_prior", "blurry", "blurry", "a teddy bear swimming in the ocean", "blurry");
        Fixture.assertClose("text", texts.embeddings.narrow(0, 2, 2), golden.get("kandinsky_prior/text_embeds"), TOLERANCE);
        Tensor y = prior("kandinsky_prior").forward(twice(golden.get("kandinsky_prior/latents_in")), Tensor.full(999, 4),
                texts.embeddings, texts.states, texts.mask);
        Fixture.assertClose("prior", y, golden.get("kandinsky_prior/prior_first"), TOLERANCE);
    }

    @Test
    void movqOfCodesAndOfLatentsAsTheyAre() {
        VqGan movq = open("kandinsky_decoder/movq", json -> w -> new VqGan(w, VqGan.Config.diffusers(json)));
        Tensor latents = movq.latents(golden.get("movq/input")), codes = movq.codes(latents);
        Fixture.assertClose("latents", latents, golden.get("movq/latents"), TOLERANCE);
        assertThat(codes.toLongs()).isEqualTo(golden.get("movq/indices").toLongs());
        Fixture.assertClose("decoded", movq.picture(movq.quantized(codes)), golden.get("movq/decoded"), TOLERANCE);
        Fixture.assertClose("as they are", movq.picture(latents), golden.get("movq/decoded_not_quantized"), TOLERANCE);
        Fixture.assertNothingIsLeft(() -> movq.picture(latents));
    }

    static Stream<Arguments> variants() {
        return Fixture.cases(VARIANTS).stream().map(c -> Arguments.of(c.get("name").asText(), c));
    }

    /** The network of a variant on the inputs of its case. */
    private static Tensor run(Weights w, String kind, ConfigJson json, List<Tensor> x) {
        return switch (kind) {
            case "prior" -> new PriorTransformer(w, PriorTransformer.Config.of(json))
                    .forward(x.get(0), x.get(1), x.get(2), x.get(3), x.get(4));
            case "projection" -> new TextProjection(w, TextProjection.Config.of(json)).forward(x.get(0), x.get(1), x.get(2)).states();
            case "vision" -> new ClipVision(w, ClipVision.Config.of(json)).embed(x.get(0));
            default -> new VqGan(w, VqGan.Config.diffusers(json)).picture(x.get(0));
        };
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void equalsTheReferenceInOtherSizes(String name, JsonNode c) {
        String kind = c.get("kind").asText();
        ConfigJson json = new ConfigJson(kind, c.get("config"));
        try (SafeTensors file = SafeTensors.open(VARIANTS.resolve("golden.safetensors"))) {
            List<Tensor> inputs = new ArrayList<>();
            for (int i = 0; file.names().contains(name + "/" + i); i++) {
                inputs.add(file.get(name + "/" + i));
            }
            Weights weights = Fixture.seeded(w -> run(w, kind, json, inputs), c.get("seed").asLong());
            opened.add(weights);
            Fixture.assertClose(name, run(weights, kind, json, inputs), file.get(name + "/y"), TOLERANCE);
        }
    }

    @Test
    void gradientsReachAllOfAFreshPrior() {
        try (var rng = new Rng(4); Weights fresh = Weights.init(rng, Device.CPU);
                TensorSource file = Fixture.weights(UNCLIP.resolve("karlo/prior"))) {
            var prior = new PriorTransformer(fresh, PriorTransformer.Config.of(Fixture.config(UNCLIP.resolve("karlo/prior"))));
            Fixture.assertSameParameters(fresh.parameters(), file);
            Tensor mask = Tensor.ones(2, 77);
            Tensor y = prior.forward(rng.randn(2, 16), Tensor.of(5, 700), rng.randn(2, 16), rng.randn(2, 77, 16), mask);
            Fixture.assertGradientsReachAll(fresh.parameters(), prior.restore(y.mul(y)));
        }
    }

    @Test
    void publishedSizes() {
        assertThat(count(768)).isEqualTo(List.of(1_022_030_080L, 338L));
        assertThat(count(1280).get(0)).isEqualTo(1_026_225_920L);
    }

    // Numbers, and tensors.
    private static List<Long> count(int embed) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new PriorTransformer(weights, PriorTransformer.Config.of(Fixture.json("{'embedding_dim': " + embed + "}")));
            return List.of(weights.count(), (long) weights.parameters().size());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            'added_emb_type': null         | test: key 'added_emb_type' is null, where prd (nothing else is supported) is wanted
            'encoder_hid_proj_type': null  | test: key 'encoder_hid_proj_type' is null, where linear (nothing else is supported) is wanted
            'norm_in_type': 'batch'        | test: key 'norm_in_type' is "batch", where layer (nothing else is supported) is wanted
            'additional_embeddings': 3     | test: key 'additional_embeddings' is 3, where 4 (nothing else is supported) is wanted
            """, quoteCharacter = '`')
    void valuesThatThePriorDoesNotHaveAreRefused(String entry, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> PriorTransformer.Config.of(Fixture.json("{" + entry + "}"))).withMessage(message);
    }

    @Test
    void wrongSizesAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> PriorTransformer.Config.of(Fixture.json("{'num_attention_heads': 0}")))
                .withMessage("num_attention_heads 0, attention_head_dim 64, embedding_dim 768 and num_embeddings 77 must be at least 1");
        Tensor x = Tensor.zeros(1, 16), states = Tensor.zeros(1, 9, 16), mask = Tensor.zeros(1, 9);
        PriorTransformer prior = prior("karlo");
        assertThatIllegalArgumentException().isThrownBy(() -> prior.forward(x, Tensor.of(1), x, states, mask))
                .withMessage("9 tokens of text, where the prior takes 77");
        assertThatIllegalArgumentException().isThrownBy(() -> TextProjection.Config.of(
                Fixture.json("{'time_embed_dim': 0, 'cross_attention_dim': 4}"))).withMessage("clip_embeddings_dim 768, "
                + "clip_extra_context_tokens 4, time_embed_dim 0 and cross_attention_dim 4 must be at least 1");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextProjection.Config.of(Fixture.json("{}")))
                .withMessage("test: key 'time_embed_dim' is , where a whole number is wanted");
    }
}
