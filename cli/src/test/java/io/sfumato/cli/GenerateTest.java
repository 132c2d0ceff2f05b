package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.image.GenerationParameters;
import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import io.sfumato.io.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateTest {
    @TempDir
    private Path folder;

    @Test
    void writesThePictureAndHowItWasMade() {
        Path file = folder.resolve("apple.png");
        Ran ran = Ran.generate("--output", file, "--negative", "blue, green", "--clip-skip", 1);
        assertThat(ran).isEqualTo(new Ran(0, file + System.lineSeparator(), ran.err()));
        assertThat(ran.err()).matches("1 picture of 32x32 in \\d+\\.\\d s, seed 7\\R");
        GenerationParameters parameters = GenerationParameters.of(ImageFile.read(file)).orElseThrow();
        assertThat(parameters.prompt()).isEqualTo("a red apple");
        assertThat(parameters.negativePrompt()).isEqualTo("blue, green");
        assertThat(parameters.settings()).containsEntry("Steps", "4").containsEntry("Sampler", "PNDM").containsEntry("CFG scale", "7.5")
                .containsEntry("Seed", "7").containsEntry("Size", "32x32").containsEntry("Model", "model").containsEntry("Clip skip", "2")
                .containsEntry("Version", "sfumato " + Main.version());
    }

    @Test
    void aDryRunOnlySaysWhatWouldBeNeeded() throws IOException {
        Ran ran = Ran.generate("--output", folder.resolve("a.png"), "--dry-run", "--width", 512, "--height", 512, "--count", 2);
        assertThat(ran.code()).isZero();
        assertThat(ran.out())
                .matches("2 pictures of 512x512: about \\d\\.\\d\\d GiB at the peak, 0\\.00 of it weights; [\\d.]+ GiB are available\\R");
        JsonNode json = new ObjectMapper().readTree(Ran.generate("--output", folder.resolve("a.png"), "--dry-run", "--json").out());
        assertThat(json.get("what").asText()).isEqualTo("1 picture of 32x32");
        assertThat(json.get("peak_bytes").asLong())
                .isGreaterThan(json.get("weights_bytes").asLong() + json.get("activations_bytes").asLong());
        assertThat(json.get("available_bytes").asLong()).isPositive();
        assertThat(Ran.names(folder)).isEmpty();
    }

    @Test
    void aDryRunOfTwoPassesCountsTheLargerOneAlsoWhereTheSizeIsTheModels() throws IOException {
        Ran ran = Ran.generate("--output", folder.resolve("a.png"), "--dry-run", "--hires-scale", 2, "--json");
        assertThat(new ObjectMapper().readTree(ran.out()).get("what").asText()).isEqualTo("1 picture of 64x64");
        assertThat(Ran.names(folder)).isEmpty();
    }

    @Test
    void namesSamplersAsA1111Does() {
        Path file = folder.resolve("a.png");
        Ran.generate("--output", file, "--sampler", "dpmpp_2m", "--schedule", "karras");
        assertThat(GenerationParameters.of(ImageFile.read(file)).orElseThrow().settings())
                .containsEntry("Sampler", "DPM++ 2M").containsEntry("Schedule type", "Karras");
    }

    @Test
    void writesTheShortcutsThatWereTaken() {
        Path file = folder.resolve("a.png");
        Ran.generate("--output", file, "--guidance-start", 0.25, "--guidance-stop", 0.75, "--deep-cache", 2,
                "--token-merging", 0.5);
        assertThat(GenerationParameters.of(ImageFile.read(file)).orElseThrow().settings())
                .containsEntry("Skip Early CFG", "0.25").containsEntry("Guidance stop", "0.75").containsEntry("Deep cache", "2")
                .containsEntry("Token merging ratio", "0.5");
    }

    @Test
    void drawsABatchIntoNumberedFilesEachAsIfAlone() throws IOException {
        Ran ran = Ran.generate("--output", folder.resolve("a.png"), "--count", 3);
        assertThat(ran.code()).isZero();
        assertThat(ran.out().lines()).containsExactly(
                folder.resolve("a-1.png").toString(), folder.resolve("a-2.png").toString(), folder.resolve("a-3.png").toString());
        assertThat(Ran.names(folder)).containsExactly("a-1.png", "a-2.png", "a-3.png");
        Ran.generate("--output", folder.resolve("third.png"), "--seed", 9);
        assertThat(ImageFile.read(folder.resolve("a-3.png")).text().get(ImageFile.PARAMETERS)).contains("Seed: 9");
        assertThat(difference(Image.read(folder.resolve("a-3.png")), Image.read(folder.resolve("third.png")))).isLessThanOrEqualTo(1);
    }

    private static int difference(Image a, Image b) {
        byte[] x = a.toBytes();
        byte[] y = b.toBytes();
        int most = 0;
        for (int i = 0; i < x.length; i++) {
            most = Math.max(most, Math.abs((x[i] & 0xff) - (y[i] & 0xff)));
        }
        return most;
    }

    @Test
    void writesJpegAndWebPByTheEnding() throws IOException {
        for (String name : new String[] {"a.jpg", "a.webp"}) {
            Path file = folder.resolve(name);
            assertThat(Ran.generate("--output", file).code()).isZero();
            assertThat(GenerationParameters.of(ImageFile.read(file)).orElseThrow().settings()).containsEntry("Seed", "7");
        }
        assertThat(Files.readAllBytes(folder.resolve("a.jpg"))).startsWith(0xff, 0xd8);
    }

    @Test
    void printsOneJsonObject() throws IOException {
        Path file = folder.resolve("a.png");
        Ran ran = Ran.generate("--output", file, "--count", 2, "--json", "--quiet");
        JsonNode json = new ObjectMapper().readTree(ran.out());
        assertThat(ran.out().lines()).hasSize(1);
        assertThat(ran.err()).isEmpty();
        assertThat(json.at("/files/1").asText()).isEqualTo(folder.resolve("a-2.png").toString());
        assertThat(json.path("seeds").toString()).isEqualTo("[7,8]");
        assertThat(json.at("/options/width").asInt()).isEqualTo(32);
        assertThat(json.path("seconds").asDouble()).isPositive();
    }

    @Test
    void choosesAnotherSeedEachTimeAndSaysWhich() throws IOException {
        String[] seeds = new String[2];
        for (int i = 0; i < 2; i++) {
            Ran ran = Ran.command("generate", "a", "--steps", 1, "--model", Ran.MODEL, "--json", "--output", folder.resolve("a.png"));
            seeds[i] = new ObjectMapper().readTree(ran.out()).at("/seeds/0").asText();
            assertThat(ran.err()).contains("seed " + seeds[i]);
        }
        assertThat(seeds[0]).isNotEqualTo(seeds[1]);
    }

    @Test
    void writesTheNumbersOfEveryStep() {
        Path file = folder.resolve("trace.safetensors");
        Ran.generate("--output", folder.resolve("a.png"), "--trace", file, "--sampler", "Euler");
        try (SafeTensors trace = SafeTensors.open(file)) {
            assertThat(trace.names()).containsExactlyInAnyOrder("text_embeddings", "latents.0", "latents.1", "latents.2", "latents.3",
                    "latents.4", "timesteps", "sigmas", "image");
            assertThat(trace.shape("image")).containsExactly(1, 3, 32, 32);
        }
    }

    @Test
    void showsThePictureAsItComesToBe() {
        Path file = folder.resolve("now.png");
        Ran ran = Ran.generate("--output", folder.resolve("a.png"), "--preview", file, "--preview-every", 2, "--count", 4);
        assertThat(ran.code()).isZero();
        assertThat(Image.read(file).toString()).isEqualTo("64x64 RGB");
    }

    @Test
    void drawsOverAPicture() {
        Path init = folder.resolve("init.png"), file = folder.resolve("a.png");
        Image.filled(45, 40, 0x3060c0).write(init);
        Ran ran = Ran.generate("--output", file, "--init", init, "--strength", 0.5);
        assertThat(ran.err()).startsWith("1 picture of 40x40");
        assertThat(GenerationParameters.of(ImageFile.read(file)).orElseThrow().settings()).containsEntry("Denoising strength", "0.5");
        assertThat(Ran.generate("--output", file, "--init", init, "--mask", init, "--width", 32).err()).startsWith("1 picture of 32x40");
        assertThat(GenerationParameters.of(ImageFile.read(file)).orElseThrow().settings()).containsEntry("Denoising strength", "1")
                .containsEntry("Mask blur", "0").containsEntry("Masked content", "original").doesNotContainKey("Inpaint area");
        Ran.generate("--output", file, "--init", init, "--mask", init, "--mask-padding", 8, "--mask-fill", "surroundings");
        assertThat(Image.read(file).toString()).isEqualTo("45x40 RGB");
        assertThat(GenerationParameters.of(ImageFile.read(file)).orElseThrow().settings()).containsEntry("Inpaint area", "Only masked")
                .containsEntry("Masked area padding", "8").containsEntry("Masked content", "fill");
    }

    @Test
    void drawsALargePictureInTwoPasses() {
        Path file = folder.resolve("a.png");
        Ran ran = Ran.generate("--output", file, "--hires-scale", 2, "--hires-steps", 2);
        assertThat(ran.err()).startsWith("1 picture of 64x64");
        assertThat(Image.read(file).toString()).isEqualTo("64x64 RGB");
        assertThat(GenerationParameters.of(ImageFile.read(file)).orElseThrow().settings()).containsEntry("Size", "32x32")
                .containsEntry("Denoising strength", "0.7").containsEntry("Hires upscale", "2").containsEntry("Hires steps", "2")
                .containsEntry("Hires upscaler", "Lanczos");
    }

    @Test
    void takesAnEmptyPrompt() {
        Ran ran = Ran.command("generate", "", "--steps", 1, "--seed", 1, "--model", Ran.MODEL, "--output", folder.resolve("a.png"));
        assertThat(ran.code()).isZero();
    }

    @Test
    void takesAPromptThatBeginsWithAnAt() {
        Ran ran = Ran.command("generate", "@home", "--steps", 1, "--seed", 1, "--model", Ran.MODEL, "--output", folder.resolve("a.png"));
        assertThat(ran.code()).isZero();
        assertThat(ImageFile.read(folder.resolve("a.png")).text().get(ImageFile.PARAMETERS)).startsWith("@home\n");
    }

    @Test
    void saysWhatIsCutOffAPromptThatIsTooLong() {
        Ran ran = Ran.command("generate", "red ".repeat(80) + "zebra", "--steps", 1, "--model", Ran.MODEL,
                "--output", folder.resolve("a.png"));
        assertThat(ran.code()).isZero();
        assertThat(ran.err()).startsWith("sfumato: warning: the prompt has more than 77 tokens; cut off: ").contains("zebra");
    }

    @Test
    void saysWhatHasNoEffect() {
        Ran ran = Ran.generate("--negative", "blue", "--guidance", 1, "--output", folder.resolve("a.png"));
        assertThat(ran.err()).startsWith("sfumato: warning: --negative has no effect: guidance is 1 or less");
        assertThat(Ran.generate("--strength", 0.5, "--output", folder.resolve("a.png")).err())
                .startsWith("sfumato: warning: --strength has no effect: there is no --init picture");
    }
}
