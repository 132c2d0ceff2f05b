package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

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
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Variations of a picture by Karlo against diffusers. */
class KarloVariationTest {
    private static final Path UNCLIP = Golden.file("unclip/golden.json").getParent();
    private static final Path GOLDEN = Golden.file("unclip-pictures/golden.safetensors");
    private static final Options FEW = Options.defaults().withSteps(5).withGuidance(6).withUnclip(new Unclip(4, 4, 3, 1));

    @TempDir
    Path temp;

    private static void close(String what, Tensor actual, Tensor wanted, double tolerance) {
        double scale = Math.max(1, wanted.abs().amax(false).item());
        assertThat(GoldenCase.difference(actual, wanted)).as(what).isLessThanOrEqualTo(tolerance * scale);
    }

    /** Karlo with the image encoder of the golden Kandinsky, as wide. */
    private Path withEyes() throws IOException {
        Path folder = temp.resolve("karlo");
        GoldenCase.lay(UNCLIP.resolve("karlo"), folder);
        GoldenCase.lay(UNCLIP.resolve("kandinsky_prior/image_encoder"), folder.resolve("image_encoder"));
        GoldenCase.lay(UNCLIP.resolve("kandinsky_prior/image_processor"), folder.resolve("feature_extractor"));
        return folder;
    }

    /** The same as it is saved for variations alone, without a prior. */
    private Path forVariations() throws IOException {
        Path folder = withEyes(), index = folder.resolve("model_index.json");
        Files.writeString(index, Files.readString(index).replace("UnCLIPPipeline", "UnCLIPImageVariationPipeline"));
        for (String file : List.of("prior/config.json", "prior/diffusion_pytorch_model.safetensors", "prior",
                "prior_scheduler/scheduler_config.json", "prior_scheduler")) {
            Files.delete(folder.resolve(file));
        }
        return folder;
    }

    @Test
    void equalsDiffusers() throws IOException {
        try (SafeTensors golden = SafeTensors.open(GOLDEN); Trace trace = Trace.recording();
                TextToImage model = TextToImage.load(forVariations().toString()); Scope scope = new Scope()) {
            Prompt prompt = Prompt.of("").with(Prompt.Role.LIKE, GoldenCase.picture(golden.get("variation/source_uint8")));
            List<Image> images = model.generate(List.of(prompt), FEW.withSeed(4).withCount(2).withSeeds(Options.Seeds.SHARED),
                    Listener.none(), trace);
            assertThat(images).hasSize(2);
            close("image_embedding", trace.tensors().get("image_embedding"), golden.get("variation/image_embedding"), 1e-5);
            close("latents.0", trace.tensors().get("latents.0"), golden.get("variation/latents_in"), 1e-6);
            Tensor latents = golden.get("variation/latents");
            for (int k = 0; k < latents.size(0); k++) {
                close("latents." + (k + 1), trace.tensors().get("latents." + (k + 1)), latents.select(0, k), 1e-4);
            }
            close("image", trace.tensors().get("image"), golden.get("variation/image").permute(0, 3, 1, 2), 5e-5);
            assertThat(trace.tensors()).doesNotContainKey("prior.0");
        }
    }

    @Test
    void aFolderWithPriorAndImageEncoderDrawsFromTextsAndPicturesAndBoth() throws IOException {
        Image picture = Image.grid(List.of(Image.filled(20, 24, 0x2040c0), Image.filled(20, 24, 0xe0c010)), 2);
        try (TextToImage model = TextToImage.load(withEyes().toString()); Trace text = Trace.recording(); Trace like = Trace.recording();
                Trace half = Trace.recording(); Scope scope = new Scope()) {
            Prompt prompt = Prompt.of("a cat"), pictured = prompt.with(Prompt.Role.LIKE, picture);
            model.generate(List.of(prompt), FEW, Listener.none(), text);
            model.generate(List.of(pictured), FEW, Listener.none(), like);
            Options mixed = FEW.withUnclip(FEW.unclip().withLikeness(0.25));
            model.generate(List.of(pictured), mixed, Listener.none(), half);
            Tensor wanted = text.tensors().get("image_embedding").mul(0.75).add(like.tensors().get("image_embedding").mul(0.25));
            close("mixed", half.tensors().get("image_embedding"), wanted, 1e-5);
        }
        try (TextToImage model = TextToImage.load(withEyes().toString())) {
            Prompt pictured = Prompt.of("a cat").with(Prompt.Role.LIKE, picture);
            Options mixed = FEW.withUnclip(FEW.unclip().withLikeness(0.25));
            model.generate(pictured, mixed);
            long before = LiveObjects.settled();
            model.generate(pictured, mixed);
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void namesWhatItCannotDraw() throws IOException {
        Prompt pictured = Prompt.of("").with(Prompt.Role.LIKE, Image.filled(8, 8, 0));
        try (TextToImage model = TextToImage.load(UNCLIP.resolve("karlo").toString())) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(pictured, FEW)).withMessage("this model's folder has no "
                    + "image_encoder to see a picture to vary with: a folder of the pipeline UnCLIPImageVariationPipeline has one");
        }
        Path folder = forVariations();
        try (TextToImage model = TextToImage.load(folder.toString())) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of("a cat"), FEW))
                    .withMessage("this model needs a picture to vary; it takes a text with a picture to vary");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(pictured, FEW.withUnclip(FEW.unclip().withLikeness(0.5))))
                    .withMessage("likeness 0.5: this model has no prior to mix in a text with, so 1 is wanted");
        }
        MemoryEstimate estimate = Families.memory(new ModelFolder(folder), LoadOptions.defaults(), pictured, Options.defaults());
        assertThat(estimate.weights()).isBetween(300_000L, 2_000_000L);
        Path config = folder.resolve("text_proj/config.json");
        Files.writeString(config, Files.readString(config).replace("\"clip_embeddings_dim\": 16", "\"clip_embeddings_dim\": 12"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(folder.toString()).close())
                .withMessage(folder + ": text_proj takes embeddings of 12 numbers, where the image encoder makes 16");
    }
}
