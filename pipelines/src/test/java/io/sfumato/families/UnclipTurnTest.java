package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LiveObjects;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.Turn;
import io.sfumato.Unclip;
import io.sfumato.image.Image;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Turns of image embeddings: against PyTorch, by what is known of them, and in both families. */
class UnclipTurnTest {
    private static final Path UNCLIP = Golden.file("unclip/golden.json").getParent();
    private static final Image BLUE = Image.grid(List.of(Image.filled(20, 24, 0x2040c0), Image.filled(20, 24, 0xe0c010)), 2);
    private static final Image RED = Image.grid(List.of(Image.filled(30, 30, 0xc01010), Image.filled(30, 30, 0xffffff)), 1);

    @TempDir
    Path temp;

    private static void close(String what, Tensor actual, Tensor wanted, double tolerance) {
        double scale = Math.max(1, wanted.abs().amax(false).item());
        assertThat(GoldenCase.difference(actual, wanted)).as(what).isLessThanOrEqualTo(tolerance * scale);
    }

    @Test
    void equalsPyTorch() {
        try (SafeTensors golden = SafeTensors.open(Golden.file("unclip-turn/golden.safetensors")); Scope scope = new Scope()) {
            Tensor a = golden.get("a"), b = golden.get("b"), c = golden.get("c"), shares = golden.get("shares");
            close("between", UnclipTurn.between(a, b, shares), golden.get("between"), 1e-6);
            close("along", UnclipTurn.along(a, b, c, shares), golden.get("along"), 1e-6);
        }
    }

    @Test
    void anglesAndLengthsChangeEvenly() {
        try (Rng rng = new Rng(3); Scope scope = new Scope()) {
            Tensor a = rng.randn(1, 24), b = rng.randn(1, 24).mul(3), c = rng.randn(1, 24);
            double whole = angle(a, b), first = length(a), last = length(b);
            Tensor difference = c.div(length(c)).sub(b.div(length(b)));
            for (double t : new double[] {0, 0.2, 0.5, 0.9, 1}) {
                Tensor share = Tensor.of(new float[] {(float) t}, 1, 1);
                Tensor x = UnclipTurn.between(a, b, share), y = UnclipTurn.along(a, b, c, share);
                assertThat(angle(a, x)).isEqualTo(t * whole, within(1e-3));
                assertThat(length(x)).isEqualTo((1 - t) * first + t * last, within(1e-4));
                assertThat(angle(a, y)).isEqualTo(t * angle(a, difference), within(1e-3));
                assertThat(length(y)).isEqualTo(first, within(1e-4));
            }
            Tensor half = Tensor.full(0.5, 1).view(1, 1);
            close("to itself", UnclipTurn.between(a, a, half), a, 1e-6);
            close("to its double", UnclipTurn.between(a, a.mul(2), half), a.mul(1.5), 1e-6);
        }
    }

    private static double length(Tensor x) {
        return Math.sqrt(x.to(DType.F64).square().sum().item());
    }

    private static double angle(Tensor a, Tensor b) {
        return Math.acos(Math.min(1, a.to(DType.F64).mul(b.to(DType.F64)).sum().item() / length(a) / length(b)));
    }

    private TextToImage model(String family) throws IOException {
        if (family.equals("kandinsky")) {
            return TextToImage.load(UNCLIP.resolve("kandinsky_prior") + "," + UNCLIP.resolve("kandinsky_decoder"));
        }
        Path folder = temp.resolve("karlo");
        GoldenCase.lay(UNCLIP.resolve("karlo"), folder);
        GoldenCase.lay(UNCLIP.resolve("kandinsky_prior/image_encoder"), folder.resolve("image_encoder"));
        GoldenCase.lay(UNCLIP.resolve("kandinsky_prior/image_processor"), folder.resolve("feature_extractor"));
        return TextToImage.load(folder.toString());
    }

    private static Tensor drawn(TextToImage model, Options o, Trace trace, Prompt... prompts) {
        model.generate(List.of(prompts), o, Listener.none(), trace);
        return trace.tensors().get("image");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kandinsky", "karlo"})
    void theEndsOfAWayAreWhatWouldBeDrawnAlone(String family) throws IOException {
        Options o = Options.defaults().withSteps(3).withGuidance(3).withSeed(5).withUnclip(new Unclip(3, 4, 3, 1));
        Prompt cat = Prompt.of("a cat"), dog = Prompt.of("two dogs near a lake"), blue = Prompt.of("").with(Prompt.Role.LIKE, BLUE);
        try (TextToImage model = model(family); Trace cats = Trace.recording(); Trace dogs = Trace.recording(); Scope scope = new Scope();
                Trace one = Trace.recording(); Trace two = Trace.recording(); Trace begin = Trace.recording();
                Trace end = Trace.recording();
                Trace all = Trace.recording(); Trace way = Trace.recording()) {
            close("begin", drawn(model, o, begin, cat.toward(dog.text(), 0)), drawn(model, o, cats, cat), 1e-3);
            close("end", drawn(model, o, end, cat.toward(dog.text(), 1)), drawn(model, o, dogs, dog), 1e-3);
            // In batches of one size, from one seed: Karlo's first step multiplies by hundreds what is rounded otherwise in another size.
            Options three = o.withPictureSeeds(List.of(5L, 5L, 5L));
            Prompt red = Prompt.of("").with(Prompt.Role.LIKE, RED);
            drawn(model, three, one, blue, blue, blue);
            drawn(model, three, two, red, red, red);
            drawn(model, three, all, blue.toward(RED, 0), blue.toward(RED, 0.25), blue.toward(RED, 1));
            Tensor last = all.tensors().get("latents.3"), seen = all.tensors().get("image_embedding");
            close("first", last.narrow(0, 0, 1), one.tensors().get("latents.3").narrow(0, 0, 1), 1e-3);
            close("last", last.narrow(0, 2, 1), two.tensors().get("latents.3").narrow(0, 2, 1), 1e-3);
            assertThat(angle(seen.narrow(0, 0, 1), seen.narrow(0, 1, 1)))
                    .isEqualTo(0.25 * angle(seen.narrow(0, 0, 1), seen.narrow(0, 2, 1)), within(2e-3));
            drawn(model, o, way, blue.along("a cat", "a dog", 0.25));
            Tensor turned = way.tensors().get("image_embedding"), still = one.tensors().get("image_embedding").narrow(0, 0, 1);
            assertThat(length(turned)).isEqualTo(length(still), within(1e-3));
            assertThat(angle(turned, still)).isBetween(0.1, 0.9);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"kandinsky", "karlo"})
    void nativeMemoryIsFlat(String family) throws IOException {
        Options o = Options.defaults().withSteps(2).withUnclip(new Unclip(2, 4, 2, 1));
        Prompt blue = Prompt.of("").with(Prompt.Role.LIKE, BLUE);
        List<Prompt> all = List.of(blue.toward(RED, 0.5), blue.along("a cat", "a dog", 0.3), Prompt.of("a cat").toward("a dog", 0.5));
        try (TextToImage model = model(family)) {
            all.forEach(prompt -> model.generate(prompt, o));
            long before = LiveObjects.settled();
            all.forEach(prompt -> model.generate(prompt, o));
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void namesWhatCannotBe() throws IOException {
        Prompt cat = Prompt.of("a cat");
        assertThatIllegalArgumentException().isThrownBy(() -> cat.toward("a dog", 1.5))
                .withMessage("the share of the way must be 0 to 1, not 1.5");
        assertThatIllegalArgumentException().isThrownBy(() -> cat.along("a dog", "a dog", 0.5))
                .withMessage("the texts to go from and to are both 'a dog': nothing leads from one to the other");
        assertThatIllegalArgumentException().isThrownBy(() -> cat.with(Prompt.Role.TOWARD, RED))
                .withMessage("a turn to a picture comes with one, and no other does");
        assertThatIllegalArgumentException().isThrownBy(() -> Prompt.requireAlike(List.of(cat, cat.toward("a dog", 0.5))))
                .withMessage("all prompts of a batch are turned to the same kind of thing: one to NONE, one to TEXT");
        assertThat(cat.toward(RED, 0.5).toward("a dog", 0.2).at(0.3).turn()).isEqualTo(new Turn(Turn.Kind.TEXT, "", "a dog", 0.3));
        Options o = Options.defaults();
        try (TextToImage model = TextToImage.load(UNCLIP.resolve("karlo").toString())) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(cat.toward(RED, 0.5), o)).withMessage("this model's "
                    + "folder has no image_encoder to see a picture to end at with: a folder of the pipeline "
                    + "UnCLIPImageVariationPipeline has one");
        }
        try (TextToImage model = TextToImage.load(Golden.file("sd1/model/model_index.json").getParent().toString())) {
            assertThatIllegalArgumentException().isThrownBy(() -> model.complete(cat.toward("a dog", 0.5), o))
                    .withMessage("this model draws from no image embedding that could be turned; Karlo and Kandinsky do");
        }
    }
}
