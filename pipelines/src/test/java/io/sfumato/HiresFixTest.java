package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HiresFixTest {
    @Test
    void drawsSmallThenOverTheEnlarged() {
        HiresFix hires = new HiresFix(1.5, 2, 0.5, HiresUpscaler.BICUBIC);
        Options options = Options.defaults().withSize(32, 32).withSteps(3).withSampler("Euler").withSeed(4);
        Prompt prompt = Prompt.of("a cat");
        try (TextToImage model = TextToImage.load(Golden.file("sd1/model").toString()); Trace trace = Trace.recording()) {
            List<Image> images = hires.generate(model, List.of(prompt), options.withCount(2), Listener.none(), trace);
            assertThat(images).hasSize(2).allMatch(image -> image.toString().equals("48x48 RGB"));
            assertThat(trace.tensors()).containsKey("latents.2").doesNotContainKey("latents.3");

            Image small = model.generate(prompt, options.withSeed(5));
            Options over = options.withSize(48, 48).withSeed(5).withSteps(4).withStrength(0.5);
            byte[] alone = model.generate(prompt.withInit(small.resize(48, 48, Resampling.BICUBIC)), over).toBytes();
            byte[] second = images.get(1).toBytes();
            for (int i = 0; i < alone.length; i++) {
                assertThat(Math.abs((alone[i] & 0xff) - (second[i] & 0xff))).isLessThanOrEqualTo(2);
            }
        }
    }

    @Test
    void drawsOverEnlargedLatents() {
        Options options = Options.defaults().withSize(32, 32).withSteps(3).withSampler("Euler").withSeed(4).withCount(2);
        List<Prompt> prompts = List.of(Prompt.of("a cat"));
        try (TextToImage model = TextToImage.load(Golden.file("sd1/model").toString()); Trace first = Trace.recording();
                var scope = new Scope(); Rng four = new Rng(4); Rng five = new Rng(5)) {
            model.generate(prompts, options, Listener.none(), first);
            Tensor noise = Tensor.cat(0, four.randn(1, 4, 24, 24), five.randn(1, 4, 24, 24));
            Set<List<Integer>> seen = new HashSet<>();
            for (HiresUpscaler upscaler : HiresUpscaler.ALL) {
                if (upscaler instanceof HiresUpscaler.OfLatents latents) {
                    try (Trace second = Trace.recording()) {
                        List<Image> images = new HiresFix(1.5, 2, 0.5, upscaler).generate(model, prompts, options, Listener.none(), second);
                        assertThat(images).hasSize(2).allMatch(image -> image.toString().equals("48x48 RGB"));
                        assertThat(second.tensors()).containsKey("latents.2").doesNotContainKey("latents.3");
                        // Euler's noise over a picture is multiplied by the sigma of the step.
                        double sigma = second.tensors().get("sigmas").narrow(0, 0, 1).item();
                        Tensor start = latents.resize(first.tensors().get("latents.3"), 24, 24).add(noise.mul(sigma));
                        assertThat(second.tensors().get("latents.0").sub(start).abs().amax(false).item()).as(upscaler.name())
                                .isLessThanOrEqualTo(1e-5);
                        seen.add(List.of(Arrays.hashCode(images.get(0).toBytes())));
                    }
                }
            }
            // Where nothing shrinks, bilinear has no aliases to keep out.
            assertThat(seen).hasSizeBetween(5, 6);
        }
    }

    @Test
    void modelsThatCannotBeginWithLatentsSaySo() {
        try (TextToImage model = TextToImage.load(Golden.file("amused/model").toString())) {
            assertThatThrownBy(() -> new HiresFix(2, 0, 0.5, HiresUpscaler.LATENT).generate(model, List.of(Prompt.of("")),
                    model.defaults(), Listener.none(), Trace.none())).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("hires upscaler 'Latent': this model cannot begin with latents; Lanczos, Bicubic and Bilinear enlarge"
                            + " the picture");
        }
    }

    @Test
    void unknownUpscalersAreNamed() {
        assertThat(HiresUpscaler.named("latent (NEAREST-exact)").name()).isEqualTo("Latent (nearest-exact)");
        assertThatThrownBy(() -> HiresUpscaler.named("ESRGAN")).isInstanceOf(IllegalArgumentException.class).hasMessage(
                "unknown hires upscaler 'ESRGAN': use lanczos, bicubic or bilinear, or of the latents Latent, Latent (antialiased),"
                        + " Latent (bicubic), Latent (bicubic antialiased), Latent (nearest), Latent (nearest-exact)");
    }

    @Test
    void masksAreRefused() {
        Image picture = Image.filled(32, 32, 0);
        try (TextToImage model = TextToImage.load(Golden.file("sd1/model").toString())) {
            assertThatThrownBy(() -> HiresFix.defaults().generate(model, List.of(Prompt.of("").withInit(picture).withMask(picture)),
                    Options.defaults().withSize(32, 32), Listener.none(), Trace.none())).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the second pass draws over the whole picture: it takes no mask");
        }
    }

    @Test
    void theSecondPassMakesAsManyStepsAsTheFirstUnlessToldOtherwise() {
        Options first = Options.defaults().withSize(512, 520).withSteps(20).withCount(3);
        assertThat(HiresFix.defaults().second(first)).isEqualTo(first.withSize(1024, 1040).withSteps(29).withStrength(0.7).withCount(1));
        assertThat(new HiresFix(1.25, 10, 1, HiresUpscaler.LANCZOS).second(first).steps()).isEqualTo(10);
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        assertThatThrownBy(() -> new HiresFix(1, 0, 0.5, HiresUpscaler.LANCZOS)).hasMessage("hires scale must be above 1, to 8, not 1.0");
        assertThatThrownBy(() -> new HiresFix(2, -1, 0.5, HiresUpscaler.LANCZOS))
                .hasMessage("hires steps must be 0 (as many as at first) to 1000, not -1");
        assertThatThrownBy(() -> new HiresFix(2, 0, 0, HiresUpscaler.LANCZOS)).hasMessage("hires strength must be above 0, to 1, not 0.0");
    }
}
