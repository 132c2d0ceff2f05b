package io.sfumato.families;

import io.sfumato.Golden;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Generations that begin with a picture, and all of Stable Diffusion 2, against diffusers. */
class StableDiffusionPicturesTest {
    @TempDir
    Path temp;

    static Stream<Arguments> firstVersion() {
        return GoldenCase.all("sd1-tasks");
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("firstVersion")
    void equalsDiffusers(String family, String name, GoldenCase golden) throws IOException {
        List<Path> parts = new ArrayList<>(List.of(Golden.file("sd1/model")));
        if (name.startsWith("inpaint9")) {
            parts.add(Golden.file("sd1-tasks/inpaint9"));
        }
        golden.check(temp, parts.toArray(Path[]::new));
    }

    static Stream<Arguments> variants() {
        return GoldenCase.all("sd-pictures");
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("variants")
    void variantsEqualDiffusers(String family, String name, GoldenCase golden) throws IOException {
        String model = golden.json().get("model").asText();
        golden.check(temp, Golden.file("sd-pictures/" + (model.equals("large") ? "large" : "three")), Golden.file("sd-pictures/" + model));
    }

    static Stream<Arguments> secondVersion() {
        return GoldenCase.all("sd2");
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("secondVersion")
    void secondVersionEqualsDiffusers(String family, String name, GoldenCase golden) throws IOException {
        String weights = golden.json().get("weights").asText();
        List<Path> parts = new ArrayList<>(List.of(Golden.file("sd2/model")));
        if (!weights.equals("model")) {
            parts.add(Golden.file("sd2/base"));
            parts.add(Golden.file("sd2/" + weights));
        }
        golden.check(temp, parts.toArray(Path[]::new));
    }
}
