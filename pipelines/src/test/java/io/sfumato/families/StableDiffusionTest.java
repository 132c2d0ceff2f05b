package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Golden;
import io.sfumato.Listener;
import io.sfumato.LiveObjects;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.hub.ModelFolder;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole generations against diffusers: text states, every step's latents, the picture. */
class StableDiffusionTest {
    @TempDir
    Path temp;

    static Stream<Arguments> cases() {
        return GoldenCase.all("sd1", "sd-variants");
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void equalsDiffusers(String family, String name, GoldenCase golden) throws IOException {
        golden.check(temp, Golden.file(family + "/" + golden.json().path("model").asText("model")));
    }

    @Test
    void nativeMemoryIsFlat() {
        Path model = Golden.file("sd1/model");
        Options options = Options.defaults().withSteps(3).withSize(32, 32);
        try (StableDiffusion sd = new StableDiffusion(new ModelFolder(model), LoadOptions.defaults())) {
            sd.generate(Prompt.of("a cat"), options);
            long before = LiveObjects.settled();
            for (int i = 0; i < 3; i++) {
                sd.generate(Prompt.of("a cat"), options);
            }
            assertThat(Scope.live()).isEqualTo(before);
        }
    }

    @Test
    void aPictureOfABatchIsTheOneMadeAlone() {
        Options options = Options.defaults().withSteps(4).withSize(32, 40).withSampler("Euler a").withSeed(11);
        try (StableDiffusion sd = new StableDiffusion(new ModelFolder(Golden.file("sd1/model")), LoadOptions.defaults());
                Trace batch = Trace.recording(); Trace alone = Trace.recording(); Scope scope = new Scope()) {
            sd.generate(List.of(Prompt.of("a cat")), options.withCount(3), Listener.none(), batch);
            sd.generate(List.of(Prompt.of("a cat")), options.withSeed(13), Listener.none(), alone);
            assertThat(GoldenCase.difference(batch.tensors().get("latents.0").narrow(0, 2, 1), alone.tensors().get("latents.0"))).isZero();
            assertThat(GoldenCase.difference(batch.tensors().get("image").narrow(0, 2, 1), alone.tensors().get("image"))).isLessThan(1e-4);
        }
    }
}
