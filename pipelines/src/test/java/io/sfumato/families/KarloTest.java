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
import io.sfumato.tensor.DType;
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

/** Karlo against diffusers: prior, decoder, both networks that enlarge. */
class KarloTest {
    private static final Path KARLO = Golden.file("unclip/karlo/model_index.json").getParent();
    private static final Options FEW = Options.defaults().withSteps(5).withGuidance(6)
            .withUnclip(new Unclip(4, 4, 3, 1));

    @TempDir
    Path temp;

    private static void close(String what, Tensor actual, Tensor wanted, double tolerance) {
        double scale = Math.max(1, wanted.abs().amax(false).item());
        assertThat(GoldenCase.difference(actual, wanted)).as(what).isLessThanOrEqualTo(tolerance * scale);
    }

    @Test
    void equalsDiffusers() {
        try (SafeTensors golden = SafeTensors.open(KARLO.resolveSibling("golden.safetensors")); Trace trace = Trace.recording();
                TextToImage model = TextToImage.load(KARLO.toString()); Scope scope = new Scope()) {
            model.generate(List.of(Prompt.of("a teddy bear swimming in the ocean")), FEW, Listener.none(), trace);
            close("prior.0", trace.tensors().get("prior.0"), golden.get("karlo/random.000"), 1e-6);
            close("image_embedding", trace.tensors().get("image_embedding"), golden.get("karlo/image_embedding"), 2e-5);
            close("text_embeddings", trace.tensors().get("text_embeddings"), golden.get("karlo/text_proj_hidden"), 2e-5);
            assertThat(trace.tensors().get("timesteps").toDoubles()).isEqualTo(golden.get("karlo/timesteps").to(DType.F64).toDoubles());
            close("latents.0", trace.tensors().get("latents.0"), golden.get("karlo/latents_in"), 1e-6);
            Tensor latents = golden.get("karlo/latents");
            for (int k = 0; k < latents.size(0); k++) {
                close("latents." + (k + 1), trace.tensors().get("latents." + (k + 1)), latents.select(0, k), 1e-4);
            }
            Tensor enlarged = golden.get("karlo/super_res_first_input").narrow(1, 0, 3);
            close("what is enlarged", trace.tensors().get("stage2.latents.0"), enlarged, 1e-6);
            assertThat(trace.tensors()).containsKey("stage2.latents.3").doesNotContainKeys("latents.6", "stage2.latents.4", "prior.5");
            close("image", trace.tensors().get("image"), golden.get("karlo/image").permute(0, 3, 1, 2), 5e-5);
        }
    }

    @Test
    void aBatchIsDrawnAsItsPicturesAlone() {
        List<Integer> done = new ArrayList<>();
        try (TextToImage model = TextToImage.load(KARLO.toString()); Trace two = Trace.recording(); Trace one = Trace.recording();
                Scope scope = new Scope()) {
            Options o = model.defaults();
            assertThat(List.of(o.width(), o.height(), o.steps())).containsExactly(32, 32, 25);
            List<Image> images = model.generate(List.of(Prompt.of("a cat")), FEW.withCount(2), new Listener() {
                @Override
                public void onStep(Step step) {
                    done.add(step.done());
                    assertThat(step.total()).isEqualTo(12);
                    assertThat(step.preview().get()).hasSize(2);
                }
            }, two);
            assertThat(images).hasSize(2).allMatch(image -> image.width() == 32 && image.height() == 32);
            assertThat(done).isEqualTo(IntStream.rangeClosed(1, 12).boxed().toList());
            model.generate(List.of(Prompt.of("a cat")), FEW.withSeed(1), Listener.none(), one);
            // Each step of so few divides rounding by a small alpha.
            close("latents.5", two.tensors().get("latents.5").narrow(0, 1, 1), one.tensors().get("latents.5"), 1e-3);
            close("image", two.tensors().get("image").narrow(0, 1, 1), one.tensors().get("image"), 1e-3);
        }
    }

    @Test
    void nativeMemoryIsFlat() {
        Options freely = FEW.withUnclip(FEW.unclip().withPriorGuidance(1)).withGuidance(1).withSize(48, 40);
        try (TextToImage model = TextToImage.load(KARLO.toString())) {
            model.generate(Prompt.of("a cat"), FEW);
            model.generate(Prompt.of("a cat"), freely);
            long before = LiveObjects.settled();
            model.generate(Prompt.of("a cat"), FEW);
            model.generate(Prompt.of("a cat"), freely);
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void namesWhatItCannotDraw() {
        try (TextToImage model = TextToImage.load(KARLO.toString())) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of("").withNegative("x"), FEW))
                    .withMessage("this model takes no negative prompt: it is led away from the empty one");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of(""), FEW.withClipSkip(1)))
                    .withMessage("clip skip 1: the prior takes the text encoder's last layer");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of(""), FEW.withSteps(1)))
                    .withMessage("1 step: UnCLIPScheduler takes 2 or more");
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(Prompt.of("").withInit(Image.filled(8, 8, 0)), FEW))
                    .withMessage("this model does not take an init picture; it takes a text alone");
        }
    }

    @Test
    void namesNetworksThatDoNotFit() throws IOException {
        Path folder = temp.resolve("karlo");
        GoldenCase.lay(KARLO, folder);
        broken(folder, "decoder/config.json", "\"class_embed_type\": \"identity\"", "\"class_embed_type\": null",
                "decoder/config.json: key 'in_channels' is 3 with out_channels 6 and class_embed_type null, where 3 with 6 and identity is "
                + "wanted");
        broken(folder, "text_proj/config.json", "\"time_embed_dim\": 32", "\"time_embed_dim\": 20", "text_proj takes embeddings of 16 "
                + "numbers and tells 20 to the time and 20 to attention, where the prior makes 16 and the decoder takes 32 and 20");
        broken(folder, "super_res_last/config.json", "\"in_channels\": 6", "\"in_channels\": 3",
                "super_res_last/config.json: key 'in_channels' is 3 with out_channels 3, where 6 with 3 is wanted");
        broken(folder, "prior/config.json", "\"num_embeddings\": 77", "\"num_embeddings\": 70", ": the prior takes 70 text states of 16 "
                + "numbers and an embedding of 16, and the text encoder gives 77 of 16 and one of 16");
    }

    private static void broken(Path folder, String name, String from, String to, String message) throws IOException {
        Path file = folder.resolve(name);
        String json = Files.readString(file);
        assertThat(json).contains(from);
        Files.writeString(file, json.replace(from, to));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Families.load(new ModelFolder(folder), LoadOptions.defaults()).close()).withMessageEndingWith(message);
        Files.writeString(file, json);
    }

    @Test
    void estimatesMemoryWithoutLoading() {
        MemoryEstimate estimate = Families.memory(new ModelFolder(KARLO), LoadOptions.defaults(), Prompt.of(""), Options.defaults());
        assertThat(estimate.what()).isEqualTo("1 picture of 32x32");
        assertThat(estimate.weights()).isBetween(300_000L, 2_000_000L);
    }
}
