package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.families.Amused.MicroConditions;
import io.sfumato.families.Amused.Temperatures;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** aMUSEd draws diffusers' codes, round by round. */
class AmusedTest {
    private static final Path AMUSED = Golden.file("amused/golden.json").getParent();

    @TempDir
    private Path folder;

    static Stream<Arguments> cases() {
        return StreamSupport.stream(JsonFile.read(AMUSED.resolve("golden.json")).get("cases").spliterator(), false)
                .filter(c -> c.has("pipeline")).map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsDiffusers(String name, JsonNode c) throws IOException {
        copyModel();
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), c.get("scheduler_config").toString());
        JsonNode how = c.get("options");
        Temperatures temperatures = how.has("temperature")
                ? new Temperatures(how.get("temperature").get(0).asDouble(), how.get("temperature").get(1).asDouble())
                : new Temperatures(2, 0);
        JsonNode crop = how.path("micro_conditioning_crop_coord");
        MicroConditions told = new MicroConditions(crop.path(0).asInt(0), crop.path(1).asInt(0),
                how.path("micro_conditioning_aesthetic_score").asInt(6));
        Options o = Options.defaults().withSize(c.get("width").asInt(), c.get("height").asInt()).withSteps(c.get("steps").asInt())
                .withGuidance(c.get("guidance_scale").asDouble()).withSeed(c.get("seed").asLong()).withSeeds(Options.Seeds.SHARED);
        Prompt prompt = Prompt.of(c.get("prompt").asText()).withNegative(c.get("negative_prompt").asText());
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(AMUSED.resolve("golden.safetensors"));
                Amused model = new Amused(new ModelFolder(folder), LoadOptions.defaults()); Trace trace = Trace.recording()) {
            model.generate(List.of(prompt), o, temperatures, told, Listener.none(), trace);
            assertThat(trace.tensors().get("latents.0").toLongs()).isEqualTo(tensor(golden, c, "latents_in").toLongs());
            Tensor text = trace.tensors().get("text_embeddings"), wanted = tensor(golden, c, "text_penultimate");
            assertClose("text", text.narrow(0, text.size(0) - 1, 1), wanted, 1e-5);
            Tensor first = tensor(golden, c, "model_output_first");                                       // (1, V, h, w)
            assertClose("logits", trace.tensors().get("logits.1"), first.permute(0, 2, 3, 1).flatten(1, 2), 2e-5);
            Tensor latents = tensor(golden, c, "latents");
            for (int i = 0; i < o.steps(); i++) {
                assertThat(trace.tensors().get("latents." + (i + 1)).toLongs()).as("round " + i).isEqualTo(latents.select(0, i).toLongs());
            }
            assertThat(trace.tensors().get("timesteps").toLongs()).isEqualTo(tensor(golden, c, "timesteps").toLongs());
            assertClose("image", trace.tensors().get("image").permute(0, 2, 3, 1), tensor(golden, c, "image"), 2e-5);
        }
    }

    private static Tensor tensor(SafeTensors golden, JsonNode c, String role) {
        return golden.get(c.get("tensors").get(role).asText());
    }

    private static void assertClose(String what, Tensor actual, Tensor wanted, double tolerance) {
        assertThat(actual.shape()).as(what).isEqualTo(wanted.shape());
        double scale = Math.max(1, wanted.to(DType.F64).abs().amax(false).item());
        assertThat(actual.to(DType.F64).sub(wanted.to(DType.F64)).abs().amax(false).item()).as(what).isLessThanOrEqualTo(tolerance * scale);
    }

    private void copyModel() throws IOException {
        Path from = AMUSED.resolve("model");
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

    @Test
    void eachPictureOfABatchIsTheOneOfItsSeed() {
        try (TextToImage model = TextToImage.load(AMUSED.resolve("model").toString())) {
            Options o = model.defaults().withSteps(3).withSeed(4).withCount(2);
            assertThat(model.defaults().guidance()).isEqualTo(10);
            List<Image> two = model.generate(Prompt.of("a cat"), o, Listener.none());
            assertThat(two.get(1)).isEqualTo(model.generate(Prompt.of("a cat"), o.withSeed(5)));
            assertThat(model.generate(Prompt.of("a cat"), o.withSize(24, 32)).height()).isEqualTo(32);
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of("a cat"), o.withSampler("DDIM")))
                    .withMessageStartingWith("this model picks tokens: ");
        }
    }

    @Test
    void aTokenizerOfAnotherModelIsRefused() throws IOException {
        copyModel();
        Path config = folder.resolve("vqvae/config.json");
        Files.writeString(config, Files.readString(config).replace("\"num_vq_embeddings\": 24", "\"num_vq_embeddings\": 23"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder + ": the vqvae has 23 codes and the transformer draws 24 of 25 (codebook_size, vocab_size); the "
                        + "same number"
                        + " is wanted, and mask_token_id 24 between them");
        Files.writeString(config, Files.readString(config).replace("\"num_vq_embeddings\": 23", "\"num_vq_embeddings\": 24"));
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), "{\"mask_token_id\": 24, \"masking_schedule\": \"sine\"}");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()))
                .withMessage(folder + ": scheduler: key 'masking_schedule' is sine, where cosine or linear is wanted");
    }
}
