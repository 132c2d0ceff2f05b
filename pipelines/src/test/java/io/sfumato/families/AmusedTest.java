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
    private static final Path GIVEN = Golden.file("amused-pictures/golden.json").getParent();

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

    static Stream<Arguments> picturesGiven() {
        return StreamSupport.stream(JsonFile.read(GIVEN.resolve("golden.json")).get("cases").spliterator(), false)
                .map(c -> Arguments.of(c.get("name").asText(), c));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("picturesGiven")
    void fromPicturesAndMasksEqualsDiffusers(String name, JsonNode c) throws IOException {
        copyModel();
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), "{\"mask_token_id\": 24, \"masking_schedule\": \""
                + c.get("schedule").asText() + "\"}");
        JsonNode how = c.get("options"), crop = how.path("micro_conditioning_crop_coord"), heat = how.path("temperature");
        Temperatures temperatures = new Temperatures(heat.path(0).asDouble(2), heat.path(1).asDouble(0));
        MicroConditions told = new MicroConditions(crop.path(0).asInt(0), crop.path(1).asInt(0),
                how.path("micro_conditioning_aesthetic_score").asInt(6));
        Options o = Options.defaults().withSteps(c.get("steps").asInt()).withGuidance(c.get("guidance_scale").asDouble())
                .withStrength(c.get("strength").asDouble()).withCount(c.get("images").asInt()).withSeed(c.get("seed").asLong())
                .withSeeds(Options.Seeds.SHARED);
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(GIVEN.resolve("golden.safetensors"));
                Amused model = new Amused(new ModelFolder(folder), LoadOptions.defaults()); Trace trace = Trace.recording()) {
            Prompt prompt = Prompt.of("a bowl of fruit").withNegative(c.get("negative_prompt").asText())
                    .withInit(image(golden.get(name + "/source")));
            if (c.get("mask").asBoolean()) {
                prompt = prompt.withMask(image(golden.get(name + "/mask").unsqueeze(2).repeat(1, 1, 3)));
            }
            model.generate(List.of(prompt), o, temperatures, told, Listener.none(), trace);
            assertThat(trace.tensors().get("latents.0").toLongs()).as("begin").isEqualTo(longs(golden.get(name + "/latents_in")));
            Tensor latents = golden.get(name + "/latents");
            for (int i = 0; i < latents.size(0); i++) {
                assertThat(trace.tensors().get("latents." + (i + 1)).toLongs()).as("round " + i).isEqualTo(longs(latents.select(0, i)));
            }
            assertThat(trace.tensors()).doesNotContainKey("latents." + (latents.size(0) + 1));
            assertThat(trace.tensors().get("timesteps").size(0)).isEqualTo(latents.size(0));
            assertClose("image", trace.tensors().get("image").permute(0, 2, 3, 1), golden.get(name + "/image"), 2e-5);
        }
    }

    private static long[] longs(Tensor codes) {
        return codes.to(DType.I64).contiguous().toLongs();
    }

    /** Bytes (H, W, 3). */
    private static Image image(Tensor pixels) {
        return Image.of((int) pixels.size(1), (int) pixels.size(0), 3, pixels.contiguous().toBytes());
    }

    @Test
    void aMaskedPictureIsTheSameAloneAndInABatchAndLaidBack() {
        Image picture = Image.filled(32, 32, 0x4080c0), mask = Image.filled(32, 32, 0), other = Image.filled(32, 32, 0xffffff);
        try (TextToImage model = TextToImage.load(AMUSED.resolve("model").toString())) {
            Options o = model.defaults().withSize(0, 0).withSteps(3).withSeed(4).withMaskBlur(1);
            Prompt kept = Prompt.of("a cat").withInit(picture).withMask(mask), open = Prompt.of("a cat").withInit(picture).withMask(other);
            List<Image> two = model.generate(List.of(kept, open), o, Listener.none(), Trace.none());
            assertThat(two.get(0)).as("nothing is drawn anew").isEqualTo(picture);
            assertThat(two.get(1)).isEqualTo(model.generate(open, o.withSeed(5)));
            Options half = o.withStrength(0.5).withSteps(6);
            Prompt over = Prompt.of("a cat").withInit(picture);
            List<Image> many = model.generate(over, half.withCount(2), Listener.none());
            assertThat(many.get(1)).isEqualTo(model.generate(over, half.withSeed(5))).isNotEqualTo(many.get(0));
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(over, o.withStrength(0.3)))
                    .withMessage("strength 0.3 of 3 steps leaves none: at least 0.334 is wanted");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(open, o.withMaskFill(Options.MaskFill.LATENT_NOISE)))
                    .withMessage("mask fill must be original: this model sees nothing of what lies under a mask");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(over.with(Prompt.Role.DEPTH, picture), o))
                    .withMessage("this model does not take a depth map; it takes a text with an init picture, a mask");
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
