package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LiveObjects;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.Unclip;
import io.sfumato.hub.ModelFolder;
import io.sfumato.hub.ModelUri;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kandinsky 2.2 against diffusers: prior, decoder, drawing over a picture; and as one model. */
class KandinskyTest {
    private static final Path UNCLIP = Golden.file("unclip/golden.json").getParent();
    private static final Options FEW = Options.defaults().withSteps(4).withGuidance(4).withSeed(1)
            .withUnclip(Unclip.defaults().withPriorSteps(5));

    @TempDir
    Path temp;

    private static JsonNode named(String name) {
        for (JsonNode c : JsonFile.read(UNCLIP.resolve("golden.json")).get("cases")) {
            if (c.get("name").asText().equals(name)) {
                return c;
            }
        }
        throw new IllegalArgumentException(name);
    }

    private static String both() {
        return UNCLIP.resolve("kandinsky_prior") + "," + UNCLIP.resolve("kandinsky_decoder");
    }

    private static void close(String what, Tensor actual, Tensor wanted, double tolerance) {
        double scale = Math.max(1, wanted.abs().amax(false).item());
        assertThat(GoldenCase.difference(actual, wanted)).as(what).isLessThanOrEqualTo(tolerance * scale);
    }

    @Test
    void thePriorEqualsDiffusers() {
        JsonNode c = named("kandinsky_prior");
        try (SafeTensors golden = SafeTensors.open(UNCLIP.resolve("golden.safetensors")); Trace trace = Trace.recording();
                TextToImage model = TextToImage.load(both()); Scope scope = new Scope()) {
            Prompt prompt = Prompt.of(c.get("prompt").asText()).withNegative(c.get("negative_prompt").asText());
            for (Options.Seeds seeds : Options.Seeds.values()) {
                model.generate(List.of(prompt), FEW.withSeeds(seeds), Listener.none(), trace);
                assertThat(trace.tensors().get("prior.timesteps").toDoubles())
                        .isEqualTo(golden.get("kandinsky_prior/timesteps").to(DType.F64).toDoubles());
                Tensor text = trace.tensors().get("pooled_text_embeddings").narrow(0, 2, 2);
                close("text", text, golden.get("kandinsky_prior/text_embeds"), 1e-5);
                close("prior.0", trace.tensors().get("prior.0"), golden.get("kandinsky_prior/latents_in"), 1e-6);
                Tensor latents = golden.get("kandinsky_prior/latents");
                for (int k = 0; k < latents.size(0); k++) {
                    close("prior." + (k + 1), trace.tensors().get("prior." + (k + 1)), latents.select(0, k), 1e-5);
                }
                Tensor embeddings = golden.get("kandinsky_prior/image");
                close("image", trace.tensors().get("image_embedding"), embeddings.narrow(0, 0, 1), 1e-5);
                close("negative", trace.tensors().get("negative_image_embedding"), embeddings.narrow(0, 1, 1), 1e-5);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"kandinsky_decoder", "kandinsky_img2img"})
    void theDecoderEqualsDiffusers(String name) throws IOException {
        JsonNode c = named(name), o = c.get("options");
        GoldenCase.lay(UNCLIP.resolve("kandinsky_prior"), temp.resolve("both/a"));
        GoldenCase.lay(UNCLIP.resolve("kandinsky_decoder"), temp.resolve("both/b"));
        ObjectNode scheduler = ((ObjectNode) c.get("scheduler_config").deepCopy()).put("_class_name", c.get("scheduler_class").asText());
        Files.writeString(temp.resolve("both/b/scheduler/scheduler_config.json"), scheduler.toString());
        try (SafeTensors golden = SafeTensors.open(UNCLIP.resolve("golden.safetensors")); Trace trace = Trace.recording();
                Kandinsky model = new Kandinsky(ModelUri.resolve(temp.resolve("both").toString()), LoadOptions.defaults());
                NoGrad noGrad = new NoGrad(); Scope scope = new Scope()) {
            Prompt prompt = Prompt.of("");
            if (c.get("tensors").has("source_uint8")) {
                prompt = prompt.withInit(GoldenCase.picture(golden.get(name + "/source_uint8")));
            }
            Options options = model.complete(prompt, FEW.withSteps(o.get("num_inference_steps").asInt()).withSize(32, 32)
                    .withGuidance(o.get("guidance_scale").asDouble()).withSeed(c.get("seed").asLong())
                    .withStrength(o.path("strength").asDouble(Options.OF_TASK)));
            var wishes = new Kandinsky.Wishes(golden.get("kandinsky_decoder/image_embeds"),
                    golden.get("kandinsky_decoder/negative_image_embeds"));
            try (Draws draws = new Draws(options, 1)) {
                model.draw(wishes, List.of(prompt), options, draws.noise(), new CascadeProgress(Listener.none(), 9), trace);
            }
            assertThat(trace.tensors().get("timesteps").toDoubles()).isEqualTo(golden.get(name + "/timesteps").to(DType.F64).toDoubles());
            close("latents.0", trace.tensors().get("latents.0"), golden.get(name + "/latents_in"), 1e-5);
            Tensor latents = golden.get(name + "/latents");
            for (int k = 0; k < latents.size(0); k++) {
                close("latents." + (k + 1), trace.tensors().get("latents." + (k + 1)), latents.select(0, k), 1e-5);
            }
            assertThat(trace.tensors()).doesNotContainKey("latents." + (latents.size(0) + 1));
            // The reference itself is 2e-4 apart from itself in float64.
            close("image", trace.tensors().get("image"), golden.get(name + "/image").permute(0, 3, 1, 2), 2e-3);
        }
    }

    @Test
    void aBatchIsDrawnAsItsPicturesAlone() {
        List<Integer> done = new ArrayList<>();
        try (TextToImage model = TextToImage.load(both()); Trace two = Trace.recording(); Trace one = Trace.recording();
                Scope scope = new Scope()) {
            Options o = model.defaults();
            assertThat(List.of(o.width(), o.height(), o.steps())).containsExactly(32, 32, 50);
            assertThat(o.guidance()).isEqualTo(4);
            Prompt prompt = Prompt.of("a cat").withNegative("blurry");
            List<Image> images = model.generate(List.of(prompt), FEW.withCount(2), new Listener() {
                @Override
                public void onStep(Step step) {
                    done.add(step.done());
                    assertThat(step.total()).isEqualTo(9);
                    assertThat(step.preview().get()).hasSize(2).allMatch(image -> image.width() == 32);
                }
            }, two);
            assertThat(images).hasSize(2);
            assertThat(done).isEqualTo(IntStream.rangeClosed(1, 9).boxed().toList());
            model.generate(List.of(prompt), FEW.withSeed(2), Listener.none(), one);
            close("image_embedding", two.tensors().get("image_embedding").narrow(0, 1, 1), one.tensors().get("image_embedding"), 1e-5);
            close("latents.4", two.tensors().get("latents.4").narrow(0, 1, 1), one.tensors().get("latents.4"), 1e-4);
        }
    }

    @Test
    void nativeMemoryIsFlat() {
        Options freely = FEW.withUnclip(FEW.unclip().withPriorGuidance(1)).withGuidance(1).withSize(48, 40);
        try (TextToImage model = TextToImage.load(both())) {
            model.generate(Prompt.of("a cat"), FEW);
            model.generate(Prompt.of("a cat"), freely);
            long before = LiveObjects.settled();
            model.generate(Prompt.of("a cat"), FEW);
            model.generate(Prompt.of("a cat"), freely);
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void variesAPictureAndMixesItWithTheText() {
        Image picture = Image.grid(List.of(Image.filled(20, 24, 0x2040c0), Image.filled(20, 24, 0xe0c010)), 2);
        try (TextToImage model = TextToImage.load(both()); Trace text = Trace.recording(); Trace all = Trace.recording();
                Trace half = Trace.recording(); Scope scope = new Scope()) {
            Prompt like = Prompt.of("a cat").with(Prompt.Role.LIKE, picture);
            model.generate(List.of(Prompt.of("a cat")), FEW, Listener.none(), text);
            model.generate(List.of(like), FEW, Listener.none(), all);
            model.generate(List.of(like), FEW.withUnclip(FEW.unclip().withLikeness(0.5)), Listener.none(), half);
            // By transformers' CLIPImageProcessor and CLIPVisionModelWithProjection.
            Tensor wanted = Tensor.of(new float[] {0.487374f, -2.41524f, 0.448462f, 1.12431f, -0.0828016f, 1.24783f, 0.108159f, -0.219443f,
                0.0415772f, 1.47898f, -0.375313f, -0.673228f, 0.931841f, 0.339134f, -1.37607f, 0.207124f}, 1, 16);
            close("variation", all.tensors().get("image_embedding"), wanted, 1e-3);
            Tensor mixed = text.tensors().get("image_embedding").add(all.tensors().get("image_embedding")).mul(0.5);
            close("mixed", half.tensors().get("image_embedding"), mixed, 1e-5);
            close("latents.0", all.tensors().get("latents.0"), text.tensors().get("latents.0"), 0);
            assertThat(GoldenCase.difference(all.tensors().get("image"), text.tensors().get("image"))).isPositive();
        }
        assertThatIllegalArgumentException().isThrownBy(() -> Unclip.defaults().withLikeness(1.5))
                .withMessage("likeness must be 0 to 1, not 1.5");
    }

    @Test
    void picturesAreSeenAsTransformersPreparesThem() throws IOException {
        Path clip = Path.of("../models/src/test/resources/golden/clip");
        ClipPixels pixels = ClipPixels.read(clip.resolve("model_gelu/preprocessor_config.json"));
        try (SafeTensors golden = SafeTensors.open(clip.resolve("golden.safetensors")); Scope scope = new Scope()) {
            for (int i = 0; i < 3; i++) {
                Tensor x = pixels.of(GoldenCase.picture(golden.get("model_gelu/picture_" + i + "_uint8")));
                close("picture " + i, x, golden.get("model_gelu/pixel_values").narrow(0, i, 1), 1e-5);
            }
        }
        Path file = temp.resolve("preprocessor_config.json");
        Files.writeString(file, "{\"size\": {\"height\": 3}}");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ClipPixels.read(file))
                .withMessage(file + ": key 'size' is {\"height\":3}, where a number of pixels, or an object with shortest_edge is wanted");
        Files.writeString(file, "{\"size\": 8, \"crop_size\": 8, \"image_mean\": [1, 2]}");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ClipPixels.read(file))
                .withMessage(file + ": key 'image_mean' is [1,2], where a list of three numbers is wanted");
    }

    @Test
    void namesWhatItCannotDraw() {
        try (TextToImage model = TextToImage.load(both())) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of(""), FEW.withClipSkip(1)))
                    .withMessage("clip skip 1: the prior takes the text encoder's last layer");
            Prompt over = Prompt.of("").withInit(Image.filled(32, 32, 0));
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(over, FEW.withStrength(0.1)))
                    .withMessage("strength 0.1 of 4 steps leaves none: at least 0.25 is wanted");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> Unclip.defaults().withPriorSteps(1))
                .withMessage("prior steps must be 2 to 1000, not 1");
        assertThatIllegalArgumentException().isThrownBy(() -> Unclip.defaults().withEnlargingSteps(1001))
                .withMessage("enlarging steps must be 2 to 1000, not 1001");
        assertThatIllegalArgumentException().isThrownBy(() -> Unclip.defaults().withPriorGuidance(Double.NaN))
                .withMessage("prior guidance must be a number, not NaN");
    }

    @Test
    void namesFoldersThatDoNotFit() throws IOException {
        Path prior = UNCLIP.resolve("kandinsky_prior"), decoder = temp.resolve("decoder"), config = decoder.resolve("unet/config.json");
        broken(prior.toString(), prior + ": Kandinsky 2.2 is two folders, a prior's and a decoder's, given one after the other or in one "
                + "folder; here are [KandinskyV22PriorPipeline]");
        GoldenCase.lay(UNCLIP.resolve("kandinsky_decoder"), decoder);
        String json = Files.readString(config);
        Files.writeString(config, json.replace("\"in_channels\": 4", "\"in_channels\": 5"));
        broken(prior + "," + decoder, config + ": key 'in_channels' is 5 with out_channels 8, where 4, the latents of the movq, or 9, a "
                + "mask and the latents of a picture besides, with 4 or 8 is wanted");
        Files.writeString(config, json.replace("\"encoder_hid_dim\": 16", "\"encoder_hid_dim\": 20"));
        broken(prior + "," + decoder, prior + ": its prior makes embeddings of 16 numbers, its image encoder of 16, and the U-Net in "
                + decoder + " takes 20");
    }

    private static void broken(String uri, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Families.load(ModelUri.resolve(uri), LoadOptions.defaults()).close()).withMessage(message);
    }

    @Test
    void estimatesMemoryWithoutLoading() {
        ModelFolder folder = ModelUri.resolve(both());
        MemoryEstimate estimate = Families.memory(folder, LoadOptions.defaults(), Prompt.of(""), Options.defaults().withCount(2));
        assertThat(estimate.what()).isEqualTo("2 pictures of 32x32");
        assertThat(estimate.weights()).isBetween(600_000L, 2_000_000L);
    }
}
