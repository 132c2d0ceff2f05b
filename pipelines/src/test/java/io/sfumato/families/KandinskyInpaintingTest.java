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
import io.sfumato.Outpainting;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.Unclip;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kandinsky 2.2's decoder for inpainting against diffusers. */
class KandinskyInpaintingTest {
    private static final Path UNCLIP = Golden.file("unclip/golden.json").getParent();
    private static final Path GOLDEN = Golden.file("unclip-pictures/golden.json").getParent();
    private static final Options FEW = Options.defaults().withSteps(4).withGuidance(4)
            .withUnclip(Unclip.defaults().withPriorSteps(2));

    @TempDir
    Path temp;

    private static JsonNode named(String name) {
        for (JsonNode c : JsonFile.read(GOLDEN.resolve("golden.json")).get("cases")) {
            if (c.get("name").asText().equals(name)) {
                return c;
            }
        }
        throw new IllegalArgumentException(name);
    }

    private static void close(String what, Tensor actual, Tensor wanted, double tolerance) {
        double scale = Math.max(1, wanted.abs().amax(false).item());
        assertThat(GoldenCase.difference(actual, wanted)).as(what).isLessThanOrEqualTo(tolerance * scale);
    }

    /** The decoder of the golden folder with another first convolution. */
    @BeforeEach
    void layTheFolders() throws IOException {
        GoldenCase.lay(UNCLIP.resolve("kandinsky_prior"), temp.resolve("prior"));
        Path decoder = temp.resolve("decoder"), config = decoder.resolve("unet/config.json"), index = decoder.resolve("model_index.json");
        GoldenCase.lay(UNCLIP.resolve("kandinsky_decoder"), decoder);
        Files.writeString(config, Files.readString(config).replace("\"in_channels\": 4", "\"in_channels\": 9"));
        Files.writeString(index, Files.readString(index).replace("KandinskyV22Pipeline", "KandinskyV22InpaintPipeline"));
        Path weights = decoder.resolve("unet/diffusion_pytorch_model.safetensors");
        try (SafeTensors plain = SafeTensors.open(UNCLIP.resolve("kandinsky_decoder/unet/diffusion_pytorch_model.safetensors"));
                SafeTensors golden = SafeTensors.open(GOLDEN.resolve("golden.safetensors")); Scope scope = new Scope()) {
            Map<String, Tensor> all = new HashMap<>();
            plain.names().forEach(name -> all.put(name, plain.get(name)));
            all.put("conv_in.weight", golden.get("conv_in"));
            SafeTensors.write(weights, all, Map.of());
        }
    }

    private String both() {
        return temp.resolve("prior") + "," + temp.resolve("decoder");
    }

    @ParameterizedTest
    @ValueSource(strings = {"inpaint_ddpm", "inpaint_ddim"})
    void equalsDiffusers(String name) throws IOException {
        JsonNode c = named(name);
        ObjectNode scheduler = ((ObjectNode) c.get("scheduler_config").deepCopy()).put("_class_name", c.get("scheduler_class").asText());
        Files.writeString(temp.resolve("decoder/scheduler/scheduler_config.json"), scheduler.toString());
        try (SafeTensors golden = SafeTensors.open(GOLDEN.resolve("golden.safetensors")); Trace trace = Trace.recording();
                SafeTensors plain = SafeTensors.open(UNCLIP.resolve("golden.safetensors"));
                Kandinsky model = new Kandinsky(ModelUri.resolve(both()), LoadOptions.defaults());
                NoGrad noGrad = new NoGrad(); Scope scope = new Scope()) {
            Prompt prompt = Prompt.of("").withInit(GoldenCase.picture(golden.get(name + "/source_uint8")))
                    .withMask(GoldenCase.picture(golden.get(name + "/mask_uint8").unsqueeze(-1)));
            Options options = model.complete(prompt, FEW.withSteps(c.get("steps").asInt()).withSeed(c.get("seed").asLong())
                    .withSize(c.get("width").asInt(), c.get("height").asInt()).withGuidance(c.get("guidance_scale").asDouble())
                    .withCount(c.get("count").asInt()).withSeeds(Options.Seeds.SHARED));
            var wishes = new Kandinsky.Wishes(plain.get("kandinsky_decoder/image_embeds").repeatInterleave(options.count(), 0),
                    plain.get("kandinsky_decoder/negative_image_embeds").repeatInterleave(options.count(), 0));
            try (Draws draws = new Draws(options, options.count())) {
                model.draw(wishes, List.of(prompt), options, draws.noise(), new CascadeProgress(Listener.none(), 9), trace);
            }
            assertThat(trace.tensors().get("timesteps").toDoubles()).isEqualTo(golden.get(name + "/timesteps").to(DType.F64).toDoubles());
            close("latents.0", trace.tensors().get("latents.0"), golden.get(name + "/latents_in"), 1e-5);
            Tensor latents = golden.get(name + "/latents");
            for (int k = 0; k < latents.size(0); k++) {
                close("latents." + (k + 1), trace.tensors().get("latents." + (k + 1)), latents.select(0, k), 1e-5);
            }
            // The movq is the one whose reference is 2e-4 apart from itself in float64.
            close("image", trace.tensors().get("image"), golden.get(name + "/image").permute(0, 3, 1, 2), 2e-3);
        }
    }

    @Test
    void drawsAnewWhereTheMaskIsWhiteOnly() {
        Image picture = Image.grid(List.of(Image.filled(24, 24, 0x2040c0), Image.filled(24, 24, 0xe0c010)), 2);
        Image mask = Image.grid(List.of(Image.filled(16, 24, 0), Image.filled(16, 24, 0), Image.filled(16, 24, 0xffffff)), 3);
        Prompt prompt = Prompt.of("a cat").withInit(picture).withMask(mask);
        try (TextToImage model = TextToImage.load(both())) {
            assertThat(model.complete(prompt, model.defaults().withSize(0, 0))).matches(o -> o.width() == 48 && o.height() == 24);
            Image all = model.generate(prompt, FEW.withSize(48, 24).withMaskBlur(0.5));
            for (int x : new int[] {0, 20, 29}) {
                assertThat(all.at(x, 12, 2)).as("blue at %d", x).isEqualTo(picture.at(x, 12, 2));
            }
            assertThat(all.at(44, 12, 2)).isNotEqualTo(picture.at(44, 12, 2));
            model.generate(prompt.with(Prompt.Role.LIKE, picture), FEW.withSize(24, 24).withMaskPadding(4));
            long before = LiveObjects.settled();
            model.generate(prompt.with(Prompt.Role.LIKE, picture), FEW.withSize(24, 24).withMaskPadding(4));
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void drawsBeyondTheEdgesOfAPicture() {
        Image picture = Image.grid(List.of(Image.filled(12, 24, 0x2040c0), Image.filled(12, 24, 0xe0c010)), 2);
        try (TextToImage model = TextToImage.load(both())) {
            Image larger = model.generate(new Outpainting(8, 0, 16, 8).of(Prompt.of("a cat").withInit(picture)), FEW.withMaskBlur(0.5));
            assertThat(List.of(larger.width(), larger.height())).containsExactly(48, 32);
            assertThat(larger.crop(12, 0, 16, 20).toBytes()).isEqualTo(picture.crop(4, 0, 16, 20).toBytes());
            assertThat(larger.at(40, 28, 0)).isNotEqualTo(0xe0);
        }
    }

    @Test
    void namesWhatItCannotDraw() throws IOException {
        Prompt init = Prompt.of("").withInit(Image.filled(32, 32, 0)), masked = init.withMask(Image.filled(32, 32, 0xffffff));
        try (TextToImage model = TextToImage.load(both())) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of("a cat"), FEW))
                    .withMessage("this model needs an init picture; it takes a text with an init picture, a mask, a picture to vary");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(init, FEW))
                    .withMessage("this model needs a mask; it takes a text with an init picture, a mask, a picture to vary");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(masked, FEW.withStrength(0.5)))
                    .withMessage("strength 0.5: a decoder for inpainting draws what is masked from noise alone, so 1 is wanted");
        }
        try (TextToImage model = TextToImage.load(UNCLIP.resolve("kandinsky_prior") + "," + UNCLIP.resolve("kandinsky_decoder"))) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(masked, FEW)).withMessage("this decoder's U-Net sees no "
                    + "mask: a decoder for inpainting is wanted, of the pipeline KandinskyV22InpaintPipeline");
        }
        Path config = temp.resolve("decoder/unet/config.json");
        Files.writeString(config, Files.readString(config).replace("\"in_channels\": 9", "\"in_channels\": 8"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(both()).close())
                .withMessage(config + ": key 'in_channels' is 8 with out_channels 8, where 4, the latents of the movq, or 9, a mask and "
                        + "the latents of a picture besides, with 4 or 8 is wanted");
    }
}
