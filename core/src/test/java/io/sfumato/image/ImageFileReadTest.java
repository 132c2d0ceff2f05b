package io.sfumato.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFileReadTest {
    @ParameterizedTest
    @ValueSource(strings = {"rgb.png", "rgba.png", "grey.png", "greyalpha.png", "bit.png", "palette.png", "palettealpha.png",
        "palette2.png", "rgbkey.png", "grey16.png", "rgb16.png", "greyalpha16.png", "rgba16.png", "grey4key.png", "filters.png", "interlaced.png",
        "interlacedbit.png", "orientation6.png", "lossless.webp", "lossy.webp", "alpha.webp", "alphalossy.webp", "orientation6.webp"})
    void losslessKindsAndWebPEqualPillow(String name) {
        assertThat(Fixtures.image(name)).isEqualTo(Fixtures.expected(name));
    }

    /** Two levels: Pillow's libjpeg-turbo and the JDK's libjpeg differ in the last bit of the transform and of the upsampling. */
    @ParameterizedTest
    @ValueSource(strings = {"rgb.jpg", "rgb444.jpg", "grey.jpg", "progressive.jpg", "cmyk.jpg", "ycck.jpg", "keeprgb.jpg",
        "orientation1.jpg", "orientation2.jpg", "orientation3.jpg", "orientation4.jpg", "orientation5.jpg", "orientation6.jpg",
        "orientation7.jpg", "orientation8.jpg"})
    void jpegIsPillowsWithinTwoLevels(String name) {
        assertThat(Fixtures.difference(Fixtures.image(name), Fixtures.expected(name))).isLessThanOrEqualTo(2);
    }

    @Test
    void textsOfAPng() {
        assertThat(Fixtures.file("text.png").text().keySet()).containsExactly("parameters", "Title", "workflow");
        assertThat(Fixtures.file("text.png").text()).containsEntry("Title", "café ☕").containsEntry("workflow", "{}".repeat(500));
        assertThat(GenerationParameters.of(Fixtures.file("text.png")).orElseThrow().prompt()).isEqualTo("a cat, in a hat");
    }

    @ParameterizedTest
    @ValueSource(strings = {"comment-be.jpg", "comment-le.jpg", "comment-be.webp", "comment-le.webp"})
    void userCommentsOfBothByteOrders(String name) {
        var parameters = GenerationParameters.of(Fixtures.file(name)).orElseThrow();
        assertThat(parameters.prompt()).isEqualTo("a ねこ \uD83D\uDC08, in a hat");
        assertThat(parameters.negativePrompt()).isEqualTo("dog");
        assertThat(parameters.settings()).containsEntry("Size", "20x14").hasSize(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"comment-ascii.jpg", "comment-ascii.webp"})
    void userCommentsInAscii(String name) {
        assertThat(Fixtures.file(name).text().get("parameters")).startsWith("a cat, in a hat\nNegative prompt: dog\nSteps: 20");
    }

    @Test
    void aFileWithoutTextHasNoParameters() {
        for (String name : new String[] {"rgb.png", "rgb.jpg", "lossy.webp", "orientation3.jpg"}) {
            assertThat(GenerationParameters.of(Fixtures.file(name))).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rgb.png", "interlaced.png", "rgb.jpg", "progressive.jpg", "lossy.webp", "alpha.webp"})
    void everyTruncationIsOneLineThatNamesTheFile(String name) {
        byte[] whole = Fixtures.bytes(name);
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatExceptionOfType(BadImageException.class).as("%d bytes", length).isThrownBy(() -> ImageFile.decode(part, name))
                .withMessageStartingWith(name + ": ").withMessageNotContaining("\n");
        }
    }

    @Test
    void otherFilesAreNamed() {
        bad("the file is empty");
        bad("not a PNG, JPEG or WebP picture", 'G', 'I', 'F', '8', '9', 'a');
    }

    @Test
    void damageInAPngIsFound() {
        byte[] png = Fixtures.bytes("rgb.png");
        byte[] flipped = png.clone();
        flipped[45] ^= 1;
        assertThatThrownBy(() -> ImageFile.decode(flipped, "x")).hasMessage("x: damaged: the check sum of chunk IDAT at byte 33 is wrong");
        assertThatThrownBy(() -> ImageFile.decode(header(png, 20, 14, 3, 2), "x"))
            .hasMessage("x: damaged: no PNG has bit depth 3, colour type 2, compression 0, filter 0, interlace 0");
        assertThatThrownBy(() -> ImageFile.decode(header(png, 20, 15, 8, 2), "x")).hasMessageStartingWith("x: the file ends early");
        assertThatThrownBy(() -> ImageFile.decode(header(png, 20, 14, 8, 3), "x"))
            .hasMessage("x: damaged: a palette picture with a palette of 0 bytes");
        assertThatThrownBy(() -> ImageFile.decode(header(png, 0, 14, 8, 2), "x")).hasMessage("x: damaged: its size is 0x14");
    }

    @Test
    void hugeSizesAreRefusedBeforeDecoding() {
        byte[] png = Fixtures.bytes("rgb.png");
        assertThatThrownBy(() -> ImageFile.decode(header(png, 100_000, 100_000, 8, 2), "x"))
            .hasMessage("x: 100000x100000 pixels are more than the limit of 256000000");
        assertThatThrownBy(() -> ImageFile.decode(header(png, -1, -1, 8, 2), "x")).hasMessageContaining("are more than the limit");
        assertThatThrownBy(() -> ImageFile.decode(header(png, 10_000, 10_000, 8, 2), "x")).hasMessageStartingWith("x: the file ends early");
        byte[] jpeg = Fixtures.bytes("rgb.jpg");
        int frame = indexOf(jpeg, new byte[] {-1, (byte) 0xc0});
        Arrays.fill(jpeg, frame + 5, frame + 9, (byte) 0xff);
        assertThatThrownBy(() -> ImageFile.decode(jpeg, "x")).hasMessage("x: 65535x65535 pixels are more than the limit of 256000000");
        assertThatThrownBy(() -> ImageFile.decode(new Source("x", Fixtures.bytes("lossy.webp"), 279)))
            .hasMessage("x: 20x14 pixels are more than the limit of 279");
    }

    @Test
    void endlessTextIsRefused() {
        byte[] png = ImageFile.of(Image.filled(1, 1, 0)).withText("a", "x".repeat((16 << 20) + 1)).encode(new ImageFormat.Png());
        assertThatThrownBy(() -> ImageFile.decode(png, "x")).hasMessage("x: its texts are longer than 16777216 bytes at 'a'");
    }

    @Test
    void animationsAreRefused() {
        byte[] webp = new ImageFile(Image.filled(1, 1, 0), Map.of("parameters", "p")).encode(new ImageFormat.LosslessWebP());
        webp[20] |= 2;
        assertThatThrownBy(() -> ImageFile.decode(webp, "x")).hasMessage("x: an animated WebP: only still pictures can be read");
    }

    @Test
    void unreadablePathsAreNamed(@TempDir Path folder) {
        Path missing = folder.resolve("none.png");
        assertThatThrownBy(() -> ImageFile.read(missing)).isInstanceOf(UncheckedIOException.class)
            .hasMessage(missing + ": cannot read: there is no such file");
        assertThatThrownBy(() -> Image.read(folder)).isInstanceOf(UncheckedIOException.class)
            .hasMessageStartingWith(folder + ": cannot read: ");
    }

    private static void bad(String reason, int... data) {
        byte[] bytes = new byte[data.length];
        for (int i = 0; i < data.length; i++) {
            bytes[i] = (byte) data[i];
        }
        assertThatThrownBy(() -> ImageFile.decode(bytes, "cat.png")).isInstanceOf(BadImageException.class).hasMessage("cat.png: " + reason);
    }

    /** The PNG with another header, its check sum right. */
    private static byte[] header(byte[] png, int width, int height, int depth, int color) {
        byte[] out = png.clone();
        var buffer = ByteBuffer.wrap(out);
        buffer.putInt(16, width).putInt(20, height).put(24, (byte) depth).put(25, (byte) color);
        var crc = new CRC32();
        crc.update(out, 12, 17);
        buffer.putInt(29, (int) crc.getValue());
        return out;
    }

    static int indexOf(byte[] data, byte[] part) {
        return new String(data, StandardCharsets.ISO_8859_1).indexOf(new String(part, StandardCharsets.ISO_8859_1));
    }
}
