package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.util.List;
import org.junit.jupiter.api.Test;

class HiresFixTest {
    @Test
    void drawsSmallThenOverTheEnlarged() {
        HiresFix hires = new HiresFix(1.5, 2, 0.5, Resampling.BICUBIC);
        Options options = Options.defaults().withSize(32, 32).withSteps(3).withSampler("Euler").withSeed(4);
        Prompt prompt = Prompt.of("a cat");
        try (TextToImage model = TextToImage.load(Golden.file("sd1/model").toString()); Trace trace = Trace.recording()) {
            List<Image> images = hires.generate(model, prompt, options.withCount(2), Listener.none(), trace);
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
    void masksAreRefused() {
        Image picture = Image.filled(32, 32, 0);
        try (TextToImage model = TextToImage.load(Golden.file("sd1/model").toString())) {
            assertThatThrownBy(() -> HiresFix.defaults().generate(model, Prompt.of("").withInit(picture).withMask(picture),
                    Options.defaults().withSize(32, 32), Listener.none(), Trace.none())).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the second pass draws over the whole picture: it takes no mask");
        }
    }

    @Test
    void theSecondPassMakesAsManyStepsAsTheFirstUnlessToldOtherwise() {
        Options first = Options.defaults().withSize(512, 520).withSteps(20).withCount(3);
        assertThat(HiresFix.defaults().second(first)).isEqualTo(first.withSize(1024, 1040).withSteps(29).withStrength(0.7).withCount(1));
        assertThat(new HiresFix(1.25, 10, 1, Resampling.LANCZOS).second(first).steps()).isEqualTo(10);
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        assertThatThrownBy(() -> new HiresFix(1, 0, 0.5, Resampling.LANCZOS)).hasMessage("hires scale must be above 1, to 8, not 1.0");
        assertThatThrownBy(() -> new HiresFix(2, -1, 0.5, Resampling.LANCZOS))
                .hasMessage("hires steps must be 0 (as many as at first) to 1000, not -1");
        assertThatThrownBy(() -> new HiresFix(2, 0, 0, Resampling.LANCZOS)).hasMessage("hires strength must be above 0, to 1, not 0.0");
    }
}
