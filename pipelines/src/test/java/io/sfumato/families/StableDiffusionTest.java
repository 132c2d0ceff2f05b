package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole generations against diffusers: text states, every step's latents, the picture. */
class StableDiffusionTest {
    @TempDir
    Path temp;

    static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (String family : List.of("sd1", "sd-variants")) {
            for (JsonNode c : JsonFile.read(Golden.file(family + "/golden.json")).get("cases")) {
                if (c.path("pipeline").asText().equals("StableDiffusionPipeline")) {
                    cases.add(Arguments.of(family, c.get("name").asText(), c));
                }
            }
        }
        return cases.stream();
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void equalsDiffusers(String family, String name, JsonNode c) throws IOException {
        Path model = withScheduler(Golden.file(family + "/" + c.path("model").asText("model")), c);
        try (SafeTensors golden = SafeTensors.open(Golden.file(family + "/golden.safetensors"));
                StableDiffusion sd = new StableDiffusion(new ModelFolder(model), LoadOptions.defaults());
                Trace trace = Trace.recording(); Scope scope = new Scope()) {
            sd.generate(prompts(c), options(c), Listener.none(), trace);

            assertThat(trace.tensors().get("timesteps").toDoubles()).isEqualTo(tensor(golden, c, "timesteps").to(DType.F64).toDoubles());
            assertThat(difference(trace.tensors().get("latents.0"), tensor(golden, c, "latents_in"))).isLessThanOrEqualTo(2e-5);
            Tensor latents = tensor(golden, c, "latents");
            double scale = Math.max(1, latents.abs().max(Tensor.zeros(1)).amax(false).item());
            double noise = c.path("spread").path("latents_last").path("fp64").asDouble(0);
            for (int k = 0; k < latents.size(0); k++) {
                assertThat(difference(trace.tensors().get("latents." + (k + 1)), latents.select(0, k)))
                        .as("latents after step %d", k + 1).isLessThanOrEqualTo(Math.max(1e-5 * scale, 30 * noise));
            }
            Tensor image = tensor(golden, c, "image").permute(0, 3, 1, 2);
            assertThat(difference(trace.tensors().get("image"), image)).as("image")
                    .isLessThanOrEqualTo(Math.max(2e-5, 30 * c.path("spread").path("image").path("fp64").asDouble(0)));
        }
    }

    @Test
    void nativeMemoryIsFlat() {
        Path model = Golden.file("sd1/model");
        Options options = Options.defaults().withSteps(3).withSize(32, 32);
        try (StableDiffusion sd = new StableDiffusion(new ModelFolder(model), LoadOptions.defaults())) {
            sd.generate(Prompt.of("a cat"), options);
            long before = Scope.live();
            for (int i = 0; i < 3; i++) {
                sd.generate(Prompt.of("a cat"), options);
            }
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void aPictureOfABatchIsTheOneMadeAlone() {
        Options options = Options.defaults().withSteps(4).withSize(32, 40).withSampler("Euler a").withSeed(11);
        try (StableDiffusion sd = new StableDiffusion(new ModelFolder(Golden.file("sd1/model")), LoadOptions.defaults());
                Trace batch = Trace.recording(); Trace alone = Trace.recording(); Scope scope = new Scope()) {
            sd.generate(List.of(Prompt.of("a cat")), options.withCount(3), Listener.none(), batch);
            sd.generate(List.of(Prompt.of("a cat")), options.withSeed(13), Listener.none(), alone);
            assertThat(difference(batch.tensors().get("latents.0").narrow(0, 2, 1), alone.tensors().get("latents.0"))).isZero();
            assertThat(difference(batch.tensors().get("image").narrow(0, 2, 1), alone.tensors().get("image"))).isLessThan(1e-4);
        }
    }

    private Path withScheduler(Path model, JsonNode c) throws IOException {
        Path folder = Files.createDirectories(temp.resolve("model"));
        try (Stream<Path> files = Files.walk(model).filter(Files::isRegularFile)) {
            for (Path file : files.toList()) {
                Path copy = folder.resolve(model.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        var config = ((ObjectNode) c.get("scheduler_config").deepCopy())
                .put("_class_name", c.get("scheduler_class").asText());
        Files.writeString(folder.resolve("scheduler").resolve("scheduler_config.json"), config.toString());
        return folder;
    }

    private static List<Prompt> prompts(JsonNode c) {
        JsonNode text = c.get("prompt"), negative = c.get("negative_prompt");
        if (!text.isArray()) {
            return List.of(new Prompt(text.asText(), negative.asText("")));
        }
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < text.size(); i++) {
            prompts.add(new Prompt(text.get(i).asText(), negative.path(i).asText("")));
        }
        return prompts;
    }

    private static Options options(JsonNode c) {
        JsonNode extra = c.path("options");
        return Options.defaults().withSize(c.get("width").asInt(), c.get("height").asInt()).withSteps(c.get("steps").asInt())
                .withGuidance(c.get("guidance_scale").asDouble()).withSeed(c.get("seed").asLong()).withCount(c.get("num_images_per_prompt").asInt())
                .withEta(extra.path("eta").asDouble(0)).withClipSkip(extra.path("clip_skip").asInt(0))
                .withGuidanceRescale(extra.path("guidance_rescale").asDouble(0))
                .withSeeds(c.path("seeds").size() > 1 ? Options.Seeds.EACH : Options.Seeds.SHARED);
    }

    private static Tensor tensor(SafeTensors golden, JsonNode c, String role) {
        return golden.get(c.get("tensors").get(role).asText());
    }

    private static double difference(Tensor a, Tensor b) {
        assertThat(a.shape()).isEqualTo(b.shape());
        return a.to(DType.F64).sub(b.to(DType.F64)).abs().amax(false).item();
    }
}
