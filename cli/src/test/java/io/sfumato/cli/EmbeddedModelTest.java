package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The models that come with the command. */
class EmbeddedModelTest {
    @TempDir
    private Path folder;

    @Test
    void drawsWithoutBeingNamed() throws IOException {
        Path once = folder.resolve("once.png"), again = folder.resolve("again.png");
        Ran ran = Ran.command("generate", "a red strawberry", "--seed", 3, "--output", once);
        assertThat(ran.code()).as(ran.err()).isZero();
        Ran.command("generate", "a red strawberry", "--seed", 3, "--model", "builtin:clipart-world", "--output", again);
        assertThat(Image.read(once)).isEqualTo(Image.read(again));
        assertThat(Image.read(once).width()).isEqualTo(256);
    }

    @Test
    void clipartWorldReadsItsPromptByAFrozenLanguageModelAndEnlarges() throws IOException {
        Path picture = folder.resolve("two.png"), other = folder.resolve("other.png");
        Ran ran = Ran.command("generate", "two red apples", "--seed", 3, "--model", "builtin:clipart-world", "--output", picture);
        assertThat(ran.code()).as(ran.err()).isZero();
        Ran.command("generate", "a banana", "--seed", 3, "--model", "builtin:clipart-world", "--output", other);
        assertThat(Image.read(picture).width()).isEqualTo(256);
        assertThat(Image.read(picture)).isNotEqualTo(Image.read(other));
    }

    @Test
    void clipartWorldDrawsOverPicturesAndInMasks() throws IOException {
        Path duck = folder.resolve("duck.png"), mask = folder.resolve("mask.png");
        Ran.command("generate", "a yellow duck", "--seed", 1, "--steps", 4, "--width", 128, "--height", 128, "--output", duck);
        byte[] white = new byte[3 * 128 * 128];
        Arrays.fill(white, 0, white.length / 2, (byte) 255);
        Image.of(128, 128, 3, white).write(mask);
        Image below = Image.read(duck).crop(0, 72, 128, 56);

        Image over = drawn("a pumpkin", "--init", duck, "--strength", 0.7);
        assertThat(over.toString()).isEqualTo("128x128 RGB");
        assertThat(over).isNotEqualTo(Image.read(duck));
        Image masked = drawn("a pumpkin", "--init", duck, "--mask", mask, "--mask-blur", 1);
        assertThat(masked.crop(0, 72, 128, 56)).isEqualTo(below);
        assertThat(masked.crop(0, 0, 128, 56)).isNotEqualTo(Image.read(duck).crop(0, 0, 128, 56));
        Image.read(duck).resize(123, 77, Resampling.BICUBIC).write(folder.resolve("odd.png"));
        assertThat(drawn("a pumpkin", "--init", folder.resolve("odd.png"), "--strength", 0.7).toString()).isEqualTo("120x72 RGB");
        assertThat(drawn("a pumpkin", "--init", duck, "--strength", 0.5, "--height", 144).toString()).isEqualTo("128x144 RGB");
        assertThat(drawn("a pumpkin", "--init", duck, "--strength", 0.5, "--height", 256).toString()).isEqualTo("128x256 RGB");
    }

    private Image drawn(Object... options) throws IOException {
        Path file = folder.resolve("drawn.png");
        Ran ran = Ran.command(Stream.of(List.of("generate"), List.of(options), List.of("--seed", 2, "--steps", 4, "--output", file))
                .flatMap(List::stream).toArray());
        assertThat(ran.code()).as(ran.err()).isZero();
        return Image.read(file);
    }

    @Test
    void clipartWorldTellsWhichSizesItDraws() {
        Ran ran = Ran.command("generate", "a duck", "--width", 136, "--height", 64);
        assertThat(ran.code()).isEqualTo(2);
        assertThat(ran.err().strip()).isEqualTo("sfumato: size 136x64: this model draws multiples of 16 from 128 pixels on");
    }

    @Test
    void areListed() {
        assertThat(Ran.command("models", "list").out()).contains("builtin:first-light", "builtin:clipart-world");
    }
}
