package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.dalle.Dalle;
import io.sfumato.models.parti.Parti;
import io.sfumato.models.parti.SuperResolution;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Parti and DALL-E, which have no published weights: folders of this project, with random weights, draw through the same door. */
class OwnTokenModelsTest {
    private static final Path SPIECE = Path.of("../core/src/test/resources/golden/t5/tokenizer/spiece.model");
    private static final int WORDS = 5000;

    @TempDir
    private Path folder;

    @BeforeEach
    void lay() throws IOException {
        Files.createDirectories(folder.resolve("tokenizer"));
        Files.copy(SPIECE, folder.resolve("tokenizer/spiece.model"));
        Files.createDirectories(folder.resolve("vq"));
        for (String file : List.of("config.json", "diffusion_pytorch_model.safetensors")) {
            Files.copy(Golden.file("amused/model/vqvae/" + file), folder.resolve("vq").resolve(file));      // 24 codes, factor 2
        }
    }

    private void write(String component, String config, Consumer<Weights> network) throws IOException {
        Path to = Files.createDirectories(folder.resolve(component));
        Files.writeString(to.resolve("config.json"), config);
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            network.accept(fresh);
            SafeTensors.write(to.resolve("model.safetensors"), fresh.parameters(), Map.of());
        }
    }

    private void parti(int vocabulary, int codes) throws IOException {
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"PartiPipeline\"}");
        var config = new Parti.Config(1, 2, 12, 24, 3, vocabulary, 8, codes, 4, 1);
        write("transformer", ("{\"encoder_layers\": 1, \"decoder_layers\": 2, \"width\": 12, \"mlp\": 24, \"heads\": 3, \"vocabulary\": %d,"
                + " \"text_length\": 8, \"codes\": %d, \"grid\": 4, \"near\": 1}").formatted(vocabulary, codes), w -> new Parti(w, config));
    }

    private void dalle() throws IOException {
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"DallePipeline\"}");
        write("transformer", "{\"layers\": 3, \"width\": 12, \"heads\": 3, \"vocabulary\": 5000, \"text_length\": 8, \"codes\": 24,"
                + " \"grid\": 4, \"window\": 3}", w -> new Dalle(w, new Dalle.Config(3, 12, 3, WORDS, 8, 24, 4, 3)));
    }

    @Test
    void partiDrawsGuidedAndNot() throws IOException {
        parti(WORDS, 24);
        try (var scope = new Scope(); TextToImage model = TextToImage.load(folder.toString()); Trace trace = Trace.recording();
                Trace freely = Trace.recording()) {
            Options o = model.defaults().withSeed(3).withCount(2);
            assertThat(o.width()).isEqualTo(8);
            List<Image> images = model.generate(List.of(Prompt.of("a cat")), o.withGuidance(3), Listener.none(), trace);
            assertThat(images.get(1)).isEqualTo(model.generate(Prompt.of("a cat"), o.withGuidance(3).withSeed(4)));
            model.generate(List.of(Prompt.of("a cat")), o.withGuidance(1), Listener.none(), freely);
            Tensor logits = trace.tensors().get("logits");
            assertThat(logits.shape()).containsExactly(2, 16, 24);
            assertThat(logits.equal(freely.tensors().get("logits"))).isFalse();
            assertThat(model.generate(Prompt.of("a cat").withNegative("a dog"), o.withGuidance(3))).isNotNull();
        }
    }

    @Test
    void picturesAreEnlarged() throws IOException {
        parti(WORDS, 24);
        write("super_resolution", "{\"layers\": 1, \"width\": 4, \"wide\": 2, \"rounds\": 2}",
                w -> new SuperResolution(w, new SuperResolution.Config(1, 4, 2, 2)));
        try (TextToImage model = TextToImage.load(folder.toString())) {
            Image picture = model.generate(Prompt.of("a cat"), model.defaults());
            assertThat(picture.width()).isEqualTo(32);
            Options again = model.defaults().withStrength(0.25);
            assertThat(model.generate(Prompt.of("a cat").withInit(picture), again).height()).isEqualTo(32);
        }
    }

    @Test
    void dalleGoesOnFromTheTopOfAPicture() throws IOException {
        dalle();
        try (var scope = new Scope(); TextToImage model = TextToImage.load(folder.toString()); Trace trace = Trace.recording();
                Trace other = Trace.recording()) {
            Options o = model.defaults().withSeed(5).withCount(3);
            Image picture = model.generate(Prompt.of("a cat"), o);
            model.generate(List.of(Prompt.of("a cat").withInit(picture)), o.withStrength(0.5), Listener.none(), trace);
            model.generate(List.of(Prompt.of("a dog").withInit(picture)), o.withStrength(0.5).withSeed(9), Listener.none(), other);
            Tensor top = trace.tensors().get("tokens").narrow(1, 0, 8);
            assertThat(top.equal(other.tensors().get("tokens").narrow(1, 0, 8))).isTrue();
            assertThat(top.select(0, 0).equal(top.select(0, 2))).isTrue();
            assertThat(trace.tensors().get("tokens").equal(other.tensors().get("tokens"))).isFalse();
        }
    }

    @Test
    void tokenizersThatDoNotFitAreRefused() throws IOException {
        parti(WORDS, 23);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder + ": the tokenizer of pictures has 24 codes, where the transformer writes 23 (codes)");
        parti(90, 24);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessageMatching(".*: the tokenizer has \\d+ pieces with padding, where the transformer reads 90 \\(vocabulary\\)");
    }
}
