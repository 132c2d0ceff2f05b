package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every kind of command in a Java of its own whose heap is 256 MiB, as {@link Ran#java} starts it. */
class SmallHeapTest {
    private static final Path TOKENS = Path.of("../pipelines/src/test/resources/golden/kakao").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    private String run(Object... args) throws IOException, InterruptedException {
        List<String> line = Ran.java(args);
        line.add(1, "-Dsfumato.threads=1");
        Ran ran = Ran.process(folder, line);
        assertThat(ran.code()).as(String.join(" ", Arrays.stream(args).map(Object::toString).toList()) + "\n" + ran.err()).isZero();
        return ran.out();
    }

    /** A photograph's size, 12 million pixels, of a few colours; and a mask of a thing in it. */
    private void photograph() {
        int width = 4000, height = 3000;
        byte[] pixels = new byte[width * height * 3], mask = new byte[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i / 3 % width / 50 * 37 + i / 3 / width / 50 * 11 + i % 3 * 60);
        }
        for (int y = 1000; y < 1400; y++) {
            Arrays.fill(mask, 3 * (y * width + 1000), 3 * (y * width + 1400), (byte) 255);
        }
        Image.of(width, height, 3, pixels).write(folder.resolve("photo.jpg"));
        Image.of(width, height, 3, mask).write(folder.resolve("mask.jpg"));
    }

    @Test
    void drawsFromTextAndLargePictures() throws IOException, InterruptedException {
        run("generate", "a red apple", "--steps", 2, "--seed", 1, "--width", 128, "--height", 128, "--output", "embedded.png");
        assertThat(Image.read(folder.resolve("embedded.png")).width()).isEqualTo(128);

        photograph();
        run("generate", "a red apple", "--model", Ran.MODEL, "--steps", 2, "--init", "photo.jpg", "--width", 64, "--height", 48,
                "--hires-scale", 2, "--output", "over.png");
        assertThat(Image.read(folder.resolve("over.png")).toString()).isEqualTo("128x96 RGB");
        run("generate", "a red apple", "--model", Ran.MODEL, "--steps", 2, "--init", "photo.jpg", "--mask", "mask.jpg",
                "--mask-padding", 8, "--width", 64, "--height", 64, "--output", "masked.png");
        assertThat(ImageFile.read(folder.resolve("masked.png")).image().toString()).isEqualTo("4000x3000 RGB");
    }

    @Test
    void drawsBatchesOfPromptsAndTokens() throws IOException, InterruptedException {
        Files.writeString(folder.resolve("p.txt"), "a red apple\n".repeat(12));
        run("generate", "--prompts", "p.txt", "--model", Ran.MODEL, "--steps", 2, "--seed", 1, "--batch", 8, "--output", "many.png");
        run("generate", "a cat", "--model", TOKENS, "--count", 8, "--seed", 1, "--output", "token.png");
        assertThat(Ran.names(folder)).contains("many-1.png", "many-12.png", "token-8.png");
    }

    @Test
    void trainsMeasuresAndConverts() throws IOException, InterruptedException {
        Files.writeString(folder.resolve("tiny.yaml"), """
                name: tiny
                seed: 1
                data:
                  kind: scenes
                  scenes: {clipart: "", size: 64, pairs: 0.3, coloured: 0.5, namedBackgrounds: 0.2, nouns: []}
                autoencoder:
                  {widths: [8, 16], layers: 1, groups: 4, latentChannels: 4, kl: 0.001, keeps: true,
                   loop: {steps: 2, batch: 8, rate: 0.001, warmup: 1, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 1}}
                text: {kind: minilm, tokens: 16, width: 32}
                unet: {widths: [8, 16], layers: 1, attends: [false, true], heads: [2, 2], groups: 4}
                diffusion:
                  {prediction: epsilon, zeroTerminalSnr: false, captionDropout: 0.1, minSnr: 0, scenes: 128,
                   loop: {steps: 2, batch: 8, rate: 0.001, warmup: 1, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 1}}
                upscaler: []
                prompts: [a duck]
                """);
        run("train", "tiny.yaml", "--run", "run", "--quiet");
        assertThat(run("evaluate", "--benchmark", "clipart-world", "--count", 8, "--seed", 5, "--nouns", "apple,duck,heart,house",
                "--json", "--quiet", "--model", Ran.MODEL)).contains("one_kind");
        run("models", "convert", Ran.MODEL, "one.safetensors");
        run("models", "convert", "one.safetensors", "again", "--config", Ran.MODEL);
        assertThat(Ran.names(folder)).contains("run", "one.safetensors", "again");
    }

    @Test
    void aPictureThatDoesNotFitIsOneLine() throws IOException, InterruptedException {
        Image.filled(2000, 2000, 0x808080).write(folder.resolve("grey.png"));
        List<String> line = Ran.java("generate", "a", "--model", Ran.MODEL, "--steps", 1, "--init", "grey.png", "--mask", "grey.png",
                "--mask-padding", 8, "--output", "o.png");
        line.set(line.indexOf("-Xmx256m"), "-Xmx32m");
        Ran ran = Ran.process(folder, line);
        assertThat(ran.err()).matches("sfumato: (out of memory \\(.*\\): Java may use \\d+ MiB; SFUMATO_JAVA_OPTS=-Xmx\\d+m in the "
                + "environment gives it more|grey\\.png: 2000x2000 pixels need .* -Xmx)\\R");
        assertThat(ran.code()).isEqualTo(Main.FAILED);
        assertThat(Ran.names(folder)).containsExactly("grey.png");
    }
}
