package io.sfumato.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.io.FileWrite;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFileWriteTest {
    private static final String LATIN = "café, naïve\nNegative prompt: ÿ";
    private static final String WIDE = "ねこ \uD83D\uDC08, \"quoted\"\nSteps: 1, Seed: 2, Size: 3x4";

    @TempDir
    private Path folder;

    @Test
    void losslessFormatsRoundTrip() {
        var random = new Random(3);
        for (int i = 0; i < 50; i++) {
            Image image = ImageTest.random(random, 1 + random.nextInt(40), 1 + random.nextInt(40), 3 + i % 2);
            for (ImageFormat format : new ImageFormat[] {new ImageFormat.Png(), new ImageFormat.LosslessWebP()}) {
                for (String text : new String[] {LATIN, WIDE, "x"}) {
                    ImageFile file = ImageFile.of(image).withText("parameters", text);
                    assertThat(ImageFile.decode(file.encode(format), "x")).isEqualTo(file);
                }
                assertThat(ImageFile.decode(ImageFile.of(image).encode(format), "x")).isEqualTo(ImageFile.of(image));
            }
        }
    }

    /** More than a mebibyte of pixels is written in several chunks. */
    @Test
    void aLargePngIsWrittenAPieceAtATime() {
        Image image = ImageTest.random(new Random(4), 700, 700, 3);
        byte[] data = ImageFile.of(image).encode(new ImageFormat.Png());
        assertThat(chunks(data)).isEqualTo(2);
        assertThat(chunks(ImageFile.of(image.crop(0, 0, 500, 500)).encode(new ImageFormat.Png()))).isEqualTo(1);
        assertThat(ImageFile.decode(data, "x").image()).isEqualTo(image);
        ImageFile.of(image).write(folder.resolve("a.png"));
        assertThat(folder.resolve("a.png")).hasBinaryContent(data);
    }

    private static int chunks(byte[] png) {
        return new String(png, StandardCharsets.ISO_8859_1).split("IDAT", -1).length - 1;
    }

    @ParameterizedTest
    @ValueSource(strings = {LATIN, WIDE, "x"})
    void lossyFormatsKeepTextAndNearlyPixels(String text) {
        ImageFile file = new ImageFile(Fixtures.image("rgb.png").resize(64, 48, Resampling.BICUBIC), Map.of("parameters", text));
        for (ImageFormat format : new ImageFormat[] {new ImageFormat.Jpeg(95), new ImageFormat.WebP(95)}) {
            ImageFile back = ImageFile.decode(file.encode(format), "x");
            assertThat(back.text()).isEqualTo(file.text());
            assertThat(Fixtures.difference(back.image(), file.image())).isBetween(1, 20);
        }
    }

    @Test
    void lossyWebPKeepsAlphaAndText() {
        ImageFile file = new ImageFile(Fixtures.image("rgba.png"), Map.of("parameters", WIDE));
        ImageFile back = ImageFile.decode(file.encode(new ImageFormat.WebP(80)), "x");
        assertThat(back.text()).isEqualTo(file.text());
        for (int x = 0; x < 20; x++) {
            assertThat(back.image().at(x, 5, 3)).isEqualTo(file.image().at(x, 5, 3));
        }
    }

    @Test
    void qualityChangesTheSize() {
        ImageFile file = ImageFile.of(ImageTest.random(new Random(4), 64, 64, 3));
        assertThat(file.encode(new ImageFormat.Jpeg(20)).length).isLessThan(file.encode(new ImageFormat.Jpeg(90)).length);
        assertThat(file.encode(new ImageFormat.WebP(20)).length).isLessThan(file.encode(new ImageFormat.WebP(90)).length);
    }

    @Test
    void pngBytesAreTheSameEachTime() {
        ImageFile file = Fixtures.file("text.png");
        assertThat(file.encode(new ImageFormat.Png())).isEqualTo(file.encode(new ImageFormat.Png()));
        assertThat(ImageFile.decode(file.encode(new ImageFormat.Png()), "x").text().keySet()).containsExactly("parameters", "Title",
            "workflow");
    }

    @Test
    void latin1TextIsTextOthersAreInternational() {
        Image image = Image.filled(1, 1, 0);
        assertThat(latin1(ImageFile.of(image).withText("a", LATIN))).contains("tEXta\0" + LATIN).doesNotContain("iTXt");
        assertThat(latin1(ImageFile.of(image).withText("a", WIDE))).contains("iTXta\0\0\0\0\0").doesNotContain("tEXt");
    }

    private static String latin1(ImageFile file) {
        return new String(file.encode(new ImageFormat.Png()), StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.png", "b.JPG", "c.jpeg", "d.webp"})
    void filesAreReplacedWhole(String name) throws IOException {
        Path path = folder.resolve(name);
        Files.writeString(path, "old");
        Image.filled(8, 8, 0x808080).write(path);
        assertThat(Fixtures.difference(Image.read(path), Image.filled(8, 8, 0x808080))).isLessThanOrEqualTo(1);
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(path);
        }
    }

    @Test
    void unwritablePathsAreNamed() throws IOException {
        Image image = Image.filled(1, 1, 0);
        Path lost = folder.resolve("no/such/a.png");
        assertThatThrownBy(() -> image.write(lost)).isInstanceOf(UncheckedIOException.class)
            .hasMessage(lost + ": cannot write: there is no folder " + lost.getParent());
        Path taken = Files.createDirectory(folder.resolve("b.png"));
        assertThatThrownBy(() -> image.write(taken)).isInstanceOf(UncheckedIOException.class)
            .hasMessage(taken + ": cannot write: it is a folder");
        assertThatIllegalArgumentException().isThrownBy(() -> image.write(Path.of("a.gif")))
            .withMessage("a.gif: the name of a picture ends in .png, .jpg, .jpeg or .webp");
    }

    @Test
    void systemErrorsAreOneLine() {
        Path path = Path.of("a.png");
        assertThat(FileWrite.explain(path, "write", new AccessDeniedException("x"))).isEqualTo("a.png: cannot write: no permission");
        assertThat(FileWrite.explain(path, "write", new FileSystemException("x", null, "Read-only file system")))
            .isEqualTo("a.png: cannot write: Read-only file system");
        assertThat(FileWrite.explain(path, "write", new IOException("No space left on device")))
            .isEqualTo("a.png: cannot write: No space left on device");
        assertThat(FileWrite.explain(path, "read", new IOException())).isEqualTo("a.png: cannot read: IOException");
    }

    @Test
    void whatAFormatCannotHoldIsNamed() {
        Image image = Image.filled(1, 1, 0);
        bad(ImageFile.of(Image.of(1, 1, 4, new byte[4])), new ImageFormat.Jpeg(90),
            "JPEG cannot hold transparency: use PNG or WebP, or lay the image over a colour first");
        bad(ImageFile.of(image).withText("workflow", "{}"), new ImageFormat.WebP(90),
            "JPEG and WebP hold only the text 'parameters', not [workflow]: use PNG");
        bad(ImageFile.of(image).withText("parameters", "x".repeat(33000)), new ImageFormat.Jpeg(90),
            "the text 'parameters' is too long for JPEG, which holds about 32700 characters: use PNG");
        bad(ImageFile.of(Image.filled(16384, 1, 0)), new ImageFormat.WebP(90),
            "WebP holds at most 16383 pixels a side, not 16384x1 RGB: use PNG");
        bad(ImageFile.of(Image.filled(65536, 1, 0)), new ImageFormat.Jpeg(90),
            "JPEG holds at most 65535 pixels a side, not 65536x1 RGB: use PNG");
        bad(ImageFile.of(image).withText("ねこ", ""), new ImageFormat.Png(), "'ねこ' is no PNG keyword: 1 to 79 Latin-1 characters expected");
        bad(ImageFile.of(image).withText("a", "b\0c"), new ImageFormat.Png(), "the text 'a' has a NUL character, which a PNG cannot hold");
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageFormat.Jpeg(101)).withMessage("quality 101 is not in 1..100");
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageFormat.WebP(0)).withMessage("quality 0 is not in 1..100");
    }

    private static void bad(ImageFile file, ImageFormat format, String message) {
        assertThatIllegalArgumentException().isThrownBy(() -> file.encode(format)).withMessage(message);
    }
}
