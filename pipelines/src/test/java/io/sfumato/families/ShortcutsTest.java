package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LiveObjects;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Shortcuts;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.unet.UNetInput;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What shortcuts leave as it is, and what they change. */
class ShortcutsTest {
    private static final int STEPS = 8;
    private static final Options OPTIONS = Options.defaults().withSteps(STEPS).withSize(32, 32).withSampler("DDIM").withSeed(5)
            .withCount(2);

    @TempDir
    Path temp;

    private static TextToImage model() {
        return Families.load(new ModelFolder(Golden.file("sd1/model")), LoadOptions.defaults());
    }

    /** The latents of every step and the picture. */
    private static List<double[]> numbers(TextToImage model, Prompt prompt, Options o) {
        try (Trace trace = Trace.recording()) {
            model.generate(List.of(prompt), o, Listener.none(), trace);
            List<double[]> numbers = new ArrayList<>();
            for (int k = 0; trace.tensors().containsKey("latents." + k); k++) {
                numbers.add(trace.tensors().get("latents." + k).toDoubles());
            }
            Tensor image = trace.tensors().get("image");
            numbers.add(image.toDoubles());
            return numbers;
        }
    }

    private static List<double[]> numbers(TextToImage model, Shortcuts shortcuts) {
        return numbers(model, Prompt.of("a red cat").withNegative("blue"), OPTIONS.withShortcuts(shortcuts));
    }

    private static Shortcuts guided(double start, double stop) {
        return Shortcuts.none().withGuidanceStart(start).withGuidanceStop(stop);
    }

    @Test
    void anEmptyGuidanceIntervalIsNoGuidance() {
        try (TextToImage model = model()) {
            List<double[]> free = numbers(model, Prompt.of("a red cat"), OPTIONS.withGuidance(1));
            assertThat(numbers(model, guided(0, 0))).usingRecursiveComparison().isEqualTo(free);
            assertThat(numbers(model, guided(0.5, 0.5))).usingRecursiveComparison().isEqualTo(free);
            assertThat(numbers(model, Shortcuts.none())).usingRecursiveComparison().isNotEqualTo(free);
        }
    }

    @Test
    void beforeItEndsAGuidanceIntervalChangesNothing() {
        try (TextToImage model = model()) {
            List<double[]> guided = numbers(model, Shortcuts.none()), until = numbers(model, guided(0, 0.5));
            List<double[]> from = numbers(model, guided(0.5, 1));
            List<double[]> free = numbers(model, Prompt.of("a red cat"), OPTIONS.withGuidance(1));
            for (int k = 0; k <= STEPS; k++) {
                assertThat(Arrays.equals(until.get(k), guided.get(k))).as("step %d", k).isEqualTo(k <= STEPS / 2);
                assertThat(Arrays.equals(from.get(k), free.get(k))).as("step %d", k).isEqualTo(k <= STEPS / 2);
            }
        }
    }

    @Test
    void anEditThatIsNotGuidedSeesPictureAndText() throws IOException {
        GoldenCase.lay(Golden.file("sd-pictures/three"), temp);
        GoldenCase.lay(Golden.file("sd-pictures/eight"), temp);
        Prompt prompt = Prompt.of("make it red").withInit(Image.filled(32, 32, 0x3060c0));
        try (TextToImage model = Families.load(new ModelFolder(temp), LoadOptions.defaults())) {
            assertThat(numbers(model, prompt, OPTIONS.withShortcuts(guided(0, 0)))).usingRecursiveComparison()
                    .isEqualTo(numbers(model, prompt, OPTIONS.withGuidance(1)));
        }
    }

    @Test
    void aDeepCacheComputesEveryNthCallWhole() {
        Path folder = Golden.file("sd1/model/unet");
        try (var scope = new Scope(); var rng = new Rng(4); var noGrad = new NoGrad();
                TensorSource file = TensorSource.open(folder.resolve("diffusion_pytorch_model.safetensors"));
                Weights weights = Weights.load(file, DType.F32, Device.CPU)) {
            UNetConfig config = UNetConfig.of(ConfigJson.read(folder.resolve("config.json")));
            UNet2DCondition unet = weights.build(w -> new UNet2DCondition(w, config), name -> false);
            // The sixth call has other rows than the fifth.
            List<UNetInput> calls = IntStream.range(0, 7).mapToObj(i -> {
                int rows = i < 5 ? 2 : 1;
                return UNetInput.of(rng.randn(rows, 4, 8, 8), Tensor.full(900 - 100 * i, rows), rng.randn(rows, 3, 32));
            }).toList();
            List<Integer> whole = List.of(0, 3, 5);
            try (DeepCache cached = new DeepCache(unet, 3)) {
                Tensor deep = Tensor.zeros();
                for (int i = 0; i < calls.size(); i++) {
                    deep = whole.contains(i) ? unet.evaluate(calls.get(i)).deep() : deep;
                    Tensor wanted = whole.contains(i) ? unet.forward(calls.get(i)) : unet.shallow(calls.get(i), deep);
                    assertThat(cached.forward(calls.get(i)).equal(wanted)).as("call %d", i).isTrue();
                }
            }
        }
    }

    @Test
    void aDeepCacheChangesWhatFollowsItsFirstCall() {
        try (TextToImage model = model()) {
            List<double[]> exact = numbers(model, Shortcuts.none()), cached = numbers(model, Shortcuts.none().withDeepCache(3));
            for (int k = 0; k <= STEPS; k++) {
                assertThat(Arrays.equals(cached.get(k), exact.get(k))).as("step %d", k).isEqualTo(k <= 1);
            }
            long before = LiveObjects.settled();
            numbers(model, Shortcuts.none().withDeepCache(3));
            assertThat(LiveObjects.settled()).isEqualTo(before);
        }
    }

    @Test
    void mergedPlacesDoNotDependOnTheBatch() {
        try (TextToImage model = model()) {
            Prompt prompt = Prompt.of("a red cat");
            Options merging = OPTIONS.withShortcuts(Shortcuts.none().withTokenMerging(0.5));
            List<double[]> both = numbers(model, prompt, merging), second = numbers(model, prompt, merging.withSeed(6).withCount(1));
            assertThat(both.get(1)).isNotEqualTo(numbers(model, prompt, OPTIONS).get(1));
            // Which places are alike may turn on the last bit, and it does so later on.
            for (int k = 0; k <= 2; k++) {
                double[] all = both.get(k);
                assertThat(second.get(k)).as("step %d", k)
                        .containsExactly(Arrays.copyOfRange(all, all.length / 2, all.length), offset(1e-4));
            }
        }
    }

    @Test
    void productsInEightBitsAreNearTheExactOnes() {
        ModelFolder folder = new ModelFolder(Golden.file("sd1/model"));
        LoadOptions int8 = LoadOptions.defaults().withInt8(true);
        Prompt prompt = Prompt.of("a red cat");
        try (TextToImage exact = model(); TextToImage near = Families.load(folder, int8)) {
            Options free = OPTIONS.withGuidance(1);         // which would add up the errors of two answers
            double[] wanted = numbers(exact, prompt, free).get(1), drawn = numbers(near, prompt, free).get(1);
            double off = 0, all = 0;
            for (int i = 0; i < wanted.length; i++) {
                off += Math.pow(drawn[i] - wanted[i], 2);
                all += Math.pow(wanted[i], 2);
            }
            assertThat(Math.sqrt(off / all)).isBetween(1e-6, 0.05);
            double[] alone = numbers(near, prompt, free.withSeed(6).withCount(1)).get(1);
            assertThat(alone).containsExactly(Arrays.copyOfRange(drawn, drawn.length / 2, drawn.length), offset(1e-4));
        }
        assertThat(Families.memory(folder, int8, prompt, OPTIONS).weights())
                .isLessThan(Families.memory(folder, LoadOptions.defaults(), prompt, OPTIONS).weights());
    }

    @Test
    void modelsWithoutSuchANetworkRefuseProductsInEightBits() {
        ModelFolder folder = new ModelFolder(Golden.file("amused/model"));
        assertThatThrownBy(() -> Families.load(folder, LoadOptions.defaults().withInt8(true))).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("int8 is for Stable Diffusion and models in miniature, not for AmusedPipeline");
    }

    @Test
    void thereMustBePlacesToMerge() {
        try (TextToImage model = Families.load(new ModelFolder(Golden.file("sd-variants/plain-first")), LoadOptions.defaults())) {
            Options merging = Options.defaults().withSteps(4).withShortcuts(Shortcuts.none().withTokenMerging(0.5));
            assertThatThrownBy(() -> model.complete(Prompt.of("a cat"), merging)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("token merging: this model's U-Net does not attend at its full size, there is nothing to merge");
        }
    }

    @Test
    void modelsThatKnowNoneRefuseThem() {
        try (TextToImage model = Families.load(new ModelFolder(Golden.file("amused/model")), LoadOptions.defaults())) {
            assertThatThrownBy(() -> model.complete(Prompt.of("a cat"), Options.defaults().withShortcuts(guided(0, 0.5))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("this model takes no shortcuts (guidance start and stop, deep cache, token merging): they are for Stable"
                            + " Diffusion and models in miniature");
        }
        try (TextToImage model = model()) {
            assertThatThrownBy(() -> model.complete(Prompt.of("a cat"), OPTIONS.withShortcuts(guided(0.8, 0.5))))
                    .isInstanceOf(IllegalArgumentException.class).hasMessage("guidance start 0.8 lies behind guidance stop 0.5");
        }
    }
}
