package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
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
import org.junit.jupiter.params.provider.Arguments;

/** A call of a diffusers pipeline, with what it gave: {@code json} is its entry in the {@code golden.json} of {@code family}. */
record GoldenCase(String family, JsonNode json) {

    /** Those of the families, as arguments (family, name, case). */
    static Stream<Arguments> all(String... families) {
        List<Arguments> cases = new ArrayList<>();
        for (String family : families) {
            for (JsonNode c : JsonFile.read(Golden.file(family + "/golden.json")).get("cases")) {
                if (c.has("pipeline")) {
                    cases.add(Arguments.of(family, c.get("name").asText(), new GoldenCase(family, c)));
                }
            }
        }
        return cases.stream();
    }

    /** Runs it on the model of {@code parts}, later ones over earlier ones, laid together in {@code folder}, and compares all. */
    void check(Path folder, Path... parts) throws IOException {
        for (Path part : parts) {
            lay(part, folder);
        }
        configure(folder);
        check(new ModelFolder(folder));
    }

    /** Gives a folder the pipeline and the scheduler of this call. */
    void configure(Path folder) throws IOException {
        ObjectNode index = (ObjectNode) JsonFile.read(folder.resolve("model_index.json"));
        Files.writeString(folder.resolve("model_index.json"), index.put("_class_name", text("pipeline")).toString());
        ObjectNode scheduler = ((ObjectNode) json.get("scheduler_config").deepCopy()).put("_class_name", text("scheduler_class"));
        Files.writeString(folder.resolve("scheduler").resolve("scheduler_config.json"), scheduler.toString());
    }

    /** Runs it on {@code model} and compares all. */
    void check(ModelFolder model) {
        try (SafeTensors golden = SafeTensors.open(Golden.file(family + "/golden.safetensors"));
                TextToImage drawer = Families.load(model, LoadOptions.defaults());
                Trace trace = Trace.recording(); Scope scope = new Scope()) {
            List<Image> images = drawer.generate(prompts(golden), options(), Listener.none(), trace);
            compare(trace, golden);
            if (json.has("padding_mask_crop")) {
                compareImages(images, golden);
            }
        }
    }

    static void lay(Path part, Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(part).filter(Files::isRegularFile)) {
            for (Path file : files.toList()) {
                Path copy = folder.resolve(part.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.write(copy, Files.readAllBytes(file));
            }
        }
    }

    private void compare(Trace trace, SafeTensors golden) {
        if (json.has("stages")) {
            for (int i = 0; i < json.get("stages").size(); i++) {
                new GoldenCase(family, json.get("stages").get(i)).compareSteps("stage" + (i + 1) + ".", trace, golden);
            }
        } else {
            compareSteps("", trace, golden);
        }
        if (!json.has("padding_mask_crop")) {
            assertThat(difference(trace.tensors().get("image"), tensor(golden, "image").permute(0, 3, 1, 2))).as("image")
                    .isLessThanOrEqualTo(Math.max(2e-5, 30 * noise("image")));
        }
    }

    private void compareSteps(String stage, Trace trace, SafeTensors golden) {
        assertThat(trace.tensors().get(stage + "timesteps").toDoubles()).isEqualTo(tensor(golden, "timesteps").to(DType.F64).toDoubles());
        Tensor latents = tensor(golden, "latents");
        double scale = Math.max(1, latents.abs().amax(false).item());
        assertThat(difference(trace.tensors().get(stage + "latents.0"), tensor(golden, "latents_in")))
                .as("%swhat the first step gets", stage).isLessThanOrEqualTo(2e-5);
        for (int k = 0; k < latents.size(0); k++) {
            assertThat(difference(trace.tensors().get(stage + "latents." + (k + 1)), latents.select(0, k)))
                    .as("%slatents after step %d", stage, k + 1).isLessThanOrEqualTo(Math.max(1e-5 * scale, 30 * noise("latents_last")));
        }
        assertThat(trace.tensors()).doesNotContainKey(stage + "latents." + (latents.size(0) + 1));
    }

    /** In 8 bits a value on the border of two may fall either way. */
    private void compareImages(List<Image> images, SafeTensors golden) {
        Tensor expected = tensor(golden, "image");
        assertThat(images).hasSize((int) expected.size(0));
        for (int i = 0; i < images.size(); i++) {
            Tensor image = Tensor.of(images.get(i).toBytes(), images.get(i).height(), images.get(i).width(), 3).to(DType.F32).div(255);
            assertThat(difference(image, expected.select(0, i))).as("image %d in 8 bits", i).isLessThan(1.01 / 255);
        }
    }

    /** How far the reference itself is from its run in float64. */
    private double noise(String what) {
        return json.path("spread").path(what).path("fp64").asDouble(0);
    }

    List<Prompt> prompts(SafeTensors golden) {
        JsonNode text = json.get("prompt"), negative = json.get("negative_prompt");
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < (text.isArray() ? text.size() : 1); i++) {
            Prompt prompt = Prompt.of(text.isArray() ? text.get(i).asText() : text.asText())
                    .withNegative(negative.isArray() ? negative.path(i).asText("") : negative.asText(""));
            prompts.add(pictures(prompt, golden, i));
        }
        return prompts;
    }

    private Prompt pictures(Prompt prompt, SafeTensors golden, int i) {
        prompt = has("source_uint8") ? prompt.withInit(picture(entry(tensor(golden, "source_uint8"), 3, i))) : prompt;
        prompt = has("mask_uint8") ? prompt.withMask(picture(entry(tensor(golden, "mask_uint8"), 2, i).unsqueeze(-1))) : prompt;
        for (String role : List.of("source", "low_res")) {
            // Recorded in [-1, 1], made of bytes.
            prompt = has(role) ? prompt.withInit(picture(tensor(golden, role).squeeze(0).add(1).mul(127.5).round().permute(1, 2, 0))) : prompt;
        }
        // The recorded depths stem from bytes; the model sees them stretched between their extremes, and so as well the bytes.
        return has("depth_map")
                ? prompt.with(Prompt.Role.DEPTH, picture(tensor(golden, "depth_map").squeeze(0).sub(1.5).div(0.031).round().unsqueeze(-1)))
                : prompt;
    }

    private static Tensor entry(Tensor pictures, int dims, int i) {
        return pictures.dim() == dims ? pictures : pictures.select(0, i);
    }

    /** (H, W, 3 or 1) of 0 to 255. */
    static Image picture(Tensor bytes) {
        Tensor rgb = bytes.to(DType.U8).expand(bytes.size(0), bytes.size(1), 3).contiguous();
        return Image.of((int) rgb.size(1), (int) rgb.size(0), 3, rgb.toBytes());
    }

    private boolean has(String role) {
        return json.get("tensors").has(role);
    }

    Options options() {
        JsonNode extra = json.path("options");
        Options o = Options.defaults().withSteps(json.get("steps").asInt(1)).withGuidance(json.get("guidance_scale").asDouble())
                .withSeed(json.get("seed").asLong()).withCount(json.path("num_images_per_prompt")
                        .asInt(extra.path("num_images_per_prompt").asInt(1)))
                .withEta(extra.path("eta").asDouble(0)).withClipSkip(extra.path("clip_skip").asInt(0))
                .withGuidanceRescale(extra.path("guidance_rescale").asDouble(0))
                .withMaskPadding(json.path("padding_mask_crop").asInt(Options.WHOLE_PICTURE))
                .withNoiseLevel(json.path("noise_level").asInt(20))
                .withImageGuidance(json.path("image_guidance_scale").asDouble(1.5))
                .withStrength(json.path("strength").asDouble(Options.OF_TASK))
                .withSeeds(json.path("seeds").size() > 1 ? Options.Seeds.EACH : Options.Seeds.SHARED);
        o = extra.has("timesteps") ? o.withSchedule(extra.get("timesteps").toString().replaceAll("[\\[\\]]", "")) : o;
        return json.has("width") ? o.withSize(json.get("width").asInt(), json.get("height").asInt()) : o;
    }

    private String text(String key) {
        return json.get(key).asText();
    }

    private Tensor tensor(SafeTensors golden, String role) {
        return golden.get(json.get("tensors").get(role).asText());
    }

    static double difference(Tensor a, Tensor b) {
        assertThat(a.shape()).isEqualTo(b.shape());
        return a.to(DType.F64).sub(b.to(DType.F64)).abs().amax(false).item();
    }

    @Override
    public String toString() {
        return text("name");
    }
}
