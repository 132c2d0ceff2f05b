package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.image.GenerationParameters;
import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures on the way between pictures, between texts, and from a picture along the difference of two texts. */
class GenerateFramesTest {
    private static final Path UNCLIP = Ran.MODEL.getParent().resolveSibling("unclip");

    @TempDir
    private Path folder;
    private Path blue;
    private Path red;
    private Path out;

    @BeforeEach
    void drawThePictures() {
        blue = folder.resolve("blue.png");
        red = folder.resolve("red.png");
        out = folder.resolve("out.png");
        Image.filled(24, 24, 0x2040c0).write(blue);
        Image.grid(List.of(Image.filled(24, 12, 0xc02020), Image.filled(24, 12, 0xffffff)), 1).write(red);
    }

    private static Ran kandinsky(String prompt, Object... more) {
        List<Object> args = List.of("generate", prompt, "--model", UNCLIP.resolve("kandinsky_prior"), "--model",
                UNCLIP.resolve("kandinsky_decoder"), "--steps", 2, "--prior-steps", 2, "--seed", 7, "--threads", 1);
        return Ran.command(Stream.concat(args.stream(), Stream.of(more)).toArray());
    }

    private byte[] pixels(String name) throws IOException {
        return Image.read(folder.resolve(name)).toBytes();
    }

    @Test
    void leadFromOnePictureToTheOther() throws IOException {
        Path sheet = folder.resolve("sheet.png");
        Ran ran = kandinsky("", "--like", blue, "--like", red, "--frames", 3, "--count", 2, "--sheet", sheet, "--json", "--output", out);
        assertThat(ran.code()).as(ran.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(ran.out());
        assertThat(json.get("seeds").toString()).isEqualTo("[7,8,7,8,7,8]");
        assertThat(json.get("pictures").get(2).get("turn").toString())
                .isEqualTo("{\"kind\":\"PICTURE\",\"from\":\"\",\"to\":\"\",\"share\":0.5}");
        assertThat(kandinsky("", "--like", red, "--output", folder.resolve("alone.png")).code()).isZero();
        Image last = Image.read(folder.resolve("out-5.png")), alone = Image.read(folder.resolve("alone.png"));
        assertThat(IntStream.range(0, 32 * 32).map(i -> Math.abs(last.at(i % 32, i / 32, 0) - alone.at(i % 32, i / 32, 0))))
                .allMatch(difference -> difference <= 1);
        assertThat(pixels("out-1.png")).isNotEqualTo(pixels("out-3.png"));
        Image all = Image.read(sheet);
        assertThat(List.of(all.width(), all.height())).containsExactly(96, 64);
        assertThat(all.crop(64, 0, 32, 32).toBytes()).as("a frame is a column").isEqualTo(pixels("out-5.png"));
        assertThat(all.crop(0, 32, 32, 32).toBytes()).as("a seed is a row").isEqualTo(pixels("out-2.png"));
    }

    @Test
    void leadFromTextToTextAndAlongTheDifferenceOfTwo() throws IOException {
        assertThat(kandinsky("a cat", "--to", "two dogs", "--frames", 2, "--towards", 0.8, "--output", out).code()).isZero();
        GenerationParameters way = GenerationParameters.of(ImageFile.read(folder.resolve("out-2.png"))).get();
        assertThat(way.settings()).containsEntry("Turned by", "0.8").containsEntry("Turned to", "two dogs")
                .doesNotContainKey("Turned from");
        assertThat(kandinsky("a cat", "--output", folder.resolve("cat.png")).code()).isZero();
        assertThat(pixels("out-1.png")).isEqualTo(pixels("cat.png"));
        Ran ran = kandinsky("", "--like", blue, "--from", "a photo of a cat", "--to", "an anime drawing of a cat", "--frames", 3,
                "--output", out);
        assertThat(ran.code()).as(ran.err()).isZero();
        GenerationParameters difference = GenerationParameters.of(ImageFile.read(folder.resolve("out-3.png"))).get();
        assertThat(difference.settings()).containsEntry("Turned by", "0.5").containsEntry("Turned from", "a photo of a cat");
        ran = kandinsky("", "--like", blue, "--from", "a photo of a cat", "--to", "an anime drawing of a cat", "--output",
                folder.resolve("alone.png"));
        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(pixels("alone.png")).isNotEqualTo(pixels("out-1.png"));
    }

    @Test
    void aFileOfPromptsTurnsEachItsOwnWay() throws IOException {
        Path file = Files.writeString(folder.resolve("prompts.txt"),
                "--prompt \"a cat\" --towards 0.25\n--prompt \"a fish\" --to \"a bird\"\n");
        Ran ran = Ran.command("generate", "--prompts", file, "--to", "a dog", "--model", UNCLIP.resolve("kandinsky_prior"), "--model",
                UNCLIP.resolve("kandinsky_decoder"), "--steps", 2, "--prior-steps", 2, "--seed", 7, "--json", "--output", out);
        assertThat(ran.code()).as(ran.err()).isZero();
        JsonNode pictures = new ObjectMapper().readTree(ran.out()).get("pictures");
        assertThat(pictures.get(0).get("turn").toString()).contains("\"to\":\"a dog\",\"share\":0.25");
        assertThat(pictures.get(1).get("turn").toString()).contains("\"to\":\"a bird\",\"share\":0.5");
    }

    @Test
    void mistakesAreNamed() {
        refused("--like is given 3 times: once for variations of a picture, twice for what lies between two", "--like", blue, "--like", red,
                "--like", blue);
        refused("a second --like and --to are both given: one of them is wanted to end at", "--like", blue, "--like", red, "--to", "x");
        refused("--from is given without --to, the text that it is to become", "--like", blue, "--from", "x");
        refused("--towards has nothing to lead to: a second --like or --to is wanted", "--like", blue, "--towards", 0.5);
        refused("the share of the way must be 0 to 1, not 2.0", "--to", "x", "--towards", 2);
        refused("--frames has no way to go: a second --like or --to is wanted", "--like", blue, "--frames", 3);
        refused("frames must be 2 to 1000, not 1", "--to", "x", "--frames", 1);
        refused("the texts to go from and to are both 'x': nothing leads from one to the other", "--from", "x", "--to", "x");
        refused("sheet.gif: the name of a picture ends in .png, .jpg, .jpeg or .webp", "--sheet", "sheet.gif");
        Ran ran = Ran.command("generate", "--prompts", folder.resolve("none.txt"), "--frames", 3);
        assertThat(ran).isEqualTo(new Ran(Main.MISUSED, "", "sfumato: --frames and --prompts are both given: one of them is wanted"
                + System.lineSeparator()));
    }

    private void refused(String message, Object... options) {
        Ran ran = kandinsky("", options);
        assertThat(ran).isEqualTo(new Ran(Main.MISUSED, "", "sfumato: " + message + System.lineSeparator()));
    }
}
