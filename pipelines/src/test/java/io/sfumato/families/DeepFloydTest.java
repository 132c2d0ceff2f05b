package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LiveObjects;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.hub.ModelFolder;
import io.sfumato.hub.ModelUri;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.TensorSource;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole generations against diffusers, stage by stage, and the cascade. */
class DeepFloydTest {
    private static final Path IF = Golden.file("if/golden.json").getParent();
    private static final Path CASCADE = Golden.file("if-cascade/golden.json").getParent();
    private static final Options FEW = Options.defaults().withSteps(4).withGuidance(4).withSeed(3);

    @TempDir
    Path temp;

    static Stream<Arguments> cases() {
        return GoldenCase.all("if");
    }

    static Stream<Arguments> cascades() {
        return GoldenCase.all("if-cascade");
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void equalsDiffusers(String family, String name, GoldenCase golden) throws IOException {
        if (golden.json().get("pipeline").asText().equals("IFSuperResolutionPipeline")) {
            golden.check(temp, IF.resolve("stage1"), IF.resolve("stage2"));
        } else {
            golden.check(temp, IF.resolve("stage1"));
        }
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("cascades")
    void cascadesAndOtherStagesEqualDiffusers(String family, String name, GoldenCase golden) throws IOException {
        int stages = golden.json().path("stages").size();
        boolean enlarges = golden.json().get("pipeline").asText().contains("SuperResolution");
        GoldenCase.lay(IF.resolve("stage1"), temp.resolve("1"));
        GoldenCase.lay(CASCADE.resolve(enlarges ? "stage2" : "stage1"), temp.resolve("1"));
        golden.configure(temp.resolve("1"));
        if (stages > 1) {
            GoldenCase.lay(CASCADE.resolve("stage2"), temp.resolve("2"));
        }
        if (stages > 2) {
            GoldenCase.lay(Golden.file("sd2/model/model_index.json").getParent(), temp.resolve("3"));
            GoldenCase.lay(Golden.file("sd2/upscaler/unet/config.json").getParent().getParent(), temp.resolve("3"));
            GoldenCase.lay(CASCADE.resolve("stage3"), temp.resolve("3"));
            edit(temp.resolve("3/model_index.json"), "\"StableDiffusionPipeline\"", "\"StableDiffusionUpscalePipeline\"");
        }
        golden.check(new ModelFolder(stages > 1 ? temp : temp.resolve("1")));
    }

    /** A folder of both stages; the second has no text encoder of its own, as it needs none. */
    private Path cascade() throws IOException {
        GoldenCase.lay(IF.resolve("stage1"), temp.resolve("cascade/stage1"));
        GoldenCase.lay(IF.resolve("stage2"), temp.resolve("cascade/stage2"));
        return temp.resolve("cascade");
    }

    private Path second() throws IOException {
        GoldenCase.lay(IF.resolve("stage1"), temp.resolve("second"));
        GoldenCase.lay(IF.resolve("stage2"), temp.resolve("second"));
        return temp.resolve("second");
    }

    @Test
    void aCascadeIsOneRun() throws IOException {
        Path folder = cascade();
        List<Integer> done = new ArrayList<>(), totals = new ArrayList<>();
        try (TextToImage model = TextToImage.load(folder.toString()); Trace trace = Trace.recording(); Trace one = Trace.recording();
                TextToImage listed = TextToImage.load(folder.resolve("stage1") + "," + folder.resolve("stage2"));
                TextToImage first = TextToImage.load(folder.resolve("stage1").toString()); Scope scope = new Scope()) {
            assertThat(List.of(model.defaults().width(), model.defaults().steps(), model.defaults().noiseLevel())).containsExactly(32, 100, 250);
            List<Image> images = model.generate(List.of(Prompt.of("a cat")), FEW.withCount(2), new Listener() {
                @Override
                public void onStep(Step step) {
                    done.add(step.done());
                    totals.add(step.total());
                    assertThat(step.preview().get()).hasSize(2);
                }
            }, trace);
            assertThat(images).hasSize(2).allMatch(image -> image.width() == 32 && image.height() == 32);
            // Four steps of the first stage, half as many of the second.
            assertThat(done).isEqualTo(IntStream.rangeClosed(1, 6).boxed().toList());
            assertThat(totals).containsOnly(6);
            assertThat(trace.tensors()).containsKeys("text_embeddings", "stage1.latents.0", "stage1.latents.4", "stage1.timesteps",
                    "stage2.latents.0", "stage2.latents.2", "image").doesNotContainKeys("latents.0", "stage1.latents.5");
            first.generate(List.of(Prompt.of("a cat")), FEW.withSeed(4), Listener.none(), one);
            assertThat(GoldenCase.difference(one.tensors().get("latents.4"), trace.tensors().get("stage1.latents.4").narrow(0, 1, 1)))
                    .as("the second of a batch as alone").isLessThan(1e-4);
            assertThat(one.tensors()).containsKeys("stage1.latents.4", "timesteps");
            assertThat(listed.generate(Prompt.of("a cat"), FEW)).isEqualTo(model.generate(Prompt.of("a cat"), FEW));
        }
    }

    @Test
    void drawsOverAPictureThroughAllStages() throws IOException {
        Image picture = Image.filled(40, 40, 0x336699);
        Image mask = Image.filled(40, 40, 0);
        try (TextToImage model = TextToImage.load(cascade().toString()); Trace trace = Trace.recording(); Scope scope = new Scope()) {
            Options o = FEW.withStrength(0.5);
            model.generate(List.of(Prompt.of("a cat").withInit(picture)), o, Listener.none(), trace);
            assertThat(trace.tensors()).containsKeys("stage1.latents.2", "stage2.latents.1").doesNotContainKey("stage1.latents.3");
            Image kept = model.generate(Prompt.of("a cat").withInit(picture).withMask(mask), o.withStrength(1));
            assertThat(kept).as("a black mask keeps the picture").isEqualTo(Image.filled(32, 32, 0x336699));
            assertThat(model.complete(Prompt.of("").withInit(Image.filled(100, 50, 0)), Options.defaults()).width()).isEqualTo(64);
        }
    }

    @Test
    void aStageIsReadForEachRunWhereMemoryIsShort() throws IOException {
        ModelFolder folder = new ModelFolder(second());
        try (Part<Long> held = new Part<>(count(folder), true); Part<Long> read = new Part<>(count(folder), false)) {
            long before = LiveObjects.settled();
            long there = held.use(n -> n), again = read.use(n -> n);
            assertThat(again).isEqualTo(there).isPositive();
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    /** The last step's native objects are fewer by what text encoder and first stage are made of, and none is left in the end. */
    @Test
    void eachStageIsLetGoBeforeTheNextWhereMemoryIsShort() throws IOException {
        DeepFloydFolders folders = DeepFloydFolders.of(new ModelFolder(cascade()));
        long tensors = tensors(folders.text(), "text_encoder") + tensors(folders.stages().get(0), "unet");
        List<Image> pictures = new ArrayList<>();
        List<Long> inLastStep = new ArrayList<>();
        for (boolean stays : new boolean[] {true, false}) {
            try (DeepFloyd model = new DeepFloyd(folders, LoadOptions.defaults(), stays)) {
                long before = LiveObjects.settled();
                pictures.addAll(model.generate(List.of(Prompt.of("a cat")), FEW, new Listener() {
                    @Override
                    public void onStep(Step step) {
                        if (step.done() == step.total()) {
                            inLastStep.add(LiveObjects.settled());
                        }
                    }
                }, Trace.none()));
                assertThat(LiveObjects.settled()).isEqualTo(before);
            }
        }
        assertThat(pictures.get(1)).isEqualTo(pictures.get(0));
        assertThat(tensors).isPositive();
        assertThat(inLastStep.get(0) - inLastStep.get(1)).isGreaterThanOrEqualTo(tensors);
    }

    private static int tensors(ModelFolder folder, String component) {
        try (TensorSource source = folder.weights(component)) {
            return source.names().size();
        }
    }

    private static Part.Recipe<Long> count(ModelFolder folder) {
        var recipe = DeepFloydStage.recipe(folder, LoadOptions.defaults());
        return new Part.Recipe<>(recipe.file(), w -> {
            recipe.network().apply(w);
            return w.count();
        }, recipe.extras(), recipe.dtype(), recipe.device());
    }

    @Test
    void nativeMemoryIsFlat() throws IOException {
        try (TextToImage model = TextToImage.load(cascade().toString())) {
            model.generate(Prompt.of("a cat"), FEW);
            long before = LiveObjects.settled();
            model.generate(Prompt.of("a cat"), FEW);
            model.generate(Prompt.of("a cat"), FEW);
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void aTextEncoderInEightBitsDrawsNearlyTheSame() throws IOException {
        GoldenCase.lay(IF.resolve("stage1"), temp.resolve("one"));
        try (TextToImage exact = TextToImage.load(temp.resolve("one").toString());
                TextToImage small = TextToImage.load(temp.resolve("one").toString(), LoadOptions.defaults().withEightBitText(true));
                Trace a = Trace.recording(); Trace b = Trace.recording(); Scope scope = new Scope()) {
            exact.generate(List.of(Prompt.of("a cat")), FEW, Listener.none(), a);
            small.generate(List.of(Prompt.of("a cat")), FEW, Listener.none(), b);
            Tensor wanted = a.tensors().get("text_embeddings");
            assertThat(GoldenCase.difference(b.tensors().get("text_embeddings"), wanted)).isBetween(1e-6, 0.2);
        }
    }

    @Test
    void namesSizesThatNoStageMakesAndPicturesThatDoNotFit() throws IOException {
        Path second = second();
        try (TextToImage model = TextToImage.load(cascade().toString()); TextToImage enlarger = TextToImage.load(second.toString())) {
            refused(model, Prompt.of(""), FEW.withSize(8, 8), "no stage makes 8x8: the first one's sides are enlarged 2 times, so multiples "
                    + "of 2 from 16 are wanted");
            refused(model, Prompt.of(""), FEW.withClipSkip(1), "clip skip 1: this model's text encoder is T5, of which no layer is left out");
            refused(model, Prompt.of("").withInit(Image.filled(8, 8, 0)), FEW.withStrength(0.1),
                    "strength 0.1 of 4 steps leaves none: at least 0.25 is wanted");
            refused(enlarger, Prompt.of("a cat"), FEW, "this model needs an init picture; it takes a text with an init picture");
            Prompt wide = Prompt.of("").withInit(Image.filled(16, 8, 0));
            refused(enlarger, wide, FEW.withSize(32, 32),
                    "a picture of 16x8 cannot be enlarged to 32x32: a smaller one of the same shape is wanted");
            refused(enlarger, Prompt.of("").withInit(Image.filled(64, 64, 0)), FEW,
                    "a picture of 64x64 cannot be enlarged to 32x32: a smaller one of the same shape is wanted");
            refused(enlarger, Prompt.of("").withInit(Image.filled(15, 10, 0)), FEW,
                    "a picture of 15x10 would become 30x20: sides that are multiples of 8 are wanted, say with --width and --height");
            assertThat(enlarger.complete(wide, FEW).height()).isEqualTo(16);
            assertThat(enlarger.complete(Prompt.of("").withInit(Image.filled(20, 20, 0)), FEW).height()).isEqualTo(32);
        }
    }

    private static void refused(TextToImage model, Prompt prompt, Options options, String message) {
        assertThatIllegalArgumentException().isThrownBy(() -> model.complete(prompt, options)).withMessage(message);
    }

    @Test
    void namesStagesThatDoNotFit() throws IOException {
        Path folder = cascade(), first = folder.resolve("stage1"), second = second();
        broken(second + "," + first, first + ": a first stage, which enlarges nothing, cannot be stage 2");
        broken(second + "," + second, second + ": a stage of 32 pixels cannot enlarge the 32 of the stage before it: "
                + "a multiple of them is wanted");
        broken(folder.resolve("stage2").toString(), folder.resolve("stage2") + ": the component 'text_encoder' is missing: there is no folder "
                + folder.resolve("stage2/text_encoder"));
        Path other = Golden.file("sd1/model/model_index.json").getParent();
        broken(first + "," + other, other + ": a StableDiffusionPipeline cannot be stage 2; stages of IF in order are wanted, and at most a "
                + "StableDiffusionUpscalePipeline after them");
        broken(other + "," + second, other + ": a StableDiffusionPipeline draws alone and cannot be stage 1 of 2; stages of IF or of "
                + "Kandinsky are wanted");
        broken(first + ",nowhere", "nowhere: there is no such model folder");
        edit(first.resolve("unet/config.json"), "\"in_channels\": 3", "\"in_channels\": 4");
        broken(first.toString(), first.resolve("unet/config.json") + ": key 'in_channels' is 4 with class_embed_type null, where 3 with null, "
                + "of a first stage, or 6 with timestep, of a stage that enlarges, is wanted");
        edit(second.resolve("text_encoder/config.json"), "\"d_model\": 24", "\"d_model\": 20");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> TextToImage.load(second.toString()).close())
                .withMessageContaining("wrong shape shared.weight");
    }

    private static void edit(Path file, String from, String to) throws IOException {
        String text = Files.readString(file);
        assertThat(text).contains(from);
        Files.writeString(file, text.replace(from, to));
    }

    private static void broken(String uri, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Families.load(ModelUri.resolve(uri), LoadOptions.defaults()).close()).withMessage(message);
    }

    @Test
    void cleansPromptsAsDiffusersDoes() throws IOException {
        for (JsonNode row : new ObjectMapper().readTree(IF.resolve("captions.json").toFile())) {
            assertThat(CaptionCleaning.clean(row.get("text").asText())).as(row.get("text").toString()).isEqualTo(row.get("clean").asText());
        }
    }

    @Test
    void estimatesMemoryWithoutLoading() throws IOException {
        MemoryEstimate estimate = Families.memory(new ModelFolder(cascade()), LoadOptions.defaults(), Prompt.of(""), Options.defaults());
        assertThat(estimate.what()).isEqualTo("1 picture of 32x32");
        assertThat(estimate.weights()).isBetween(1_000_000L, 1_400_000L);
        assertThat(estimate.activations()).isBetween(300_000L, 3_000_000L);
    }
}
