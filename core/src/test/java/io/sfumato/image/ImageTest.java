package io.sfumato.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ImageTest {
    static Image random(Random random, int width, int height, int channels) {
        byte[] pixels = new byte[width * height * channels];
        random.nextBytes(pixels);
        return new Image(width, height, channels, pixels);
    }

    @Test
    void planesAndBytesRoundTrip() {
        var random = new Random(1);
        for (int channels = 3; channels <= 4; channels++) {
            Image image = random(random, 7, 5, channels);
            assertThat(Image.fromChw(image.toChw(), 7, 5)).isEqualTo(image);
            assertThat(Image.of(7, 5, channels, image.toBytes())).isEqualTo(image).hasSameHashCodeAs(image);
        }
    }

    @Test
    void planesAreChannelFirst() {
        Image image = Image.of(2, 1, 3, new byte[] {0, 51, (byte) 255, 102, (byte) 153, (byte) 204});
        assertThat(image.toChw()).containsExactly(0f, 0.4f, 0.2f, 0.6f, 1f, 0.8f);
        assertThat(image.at(1, 0, 2)).isEqualTo(204);
    }

    @Test
    void valuesRoundHalfToEvenAndClamp() {
        Image image = Image.fromChw(new float[] {0.5f / 255, 1.5f / 255, -0.1f, 0.5f, 1.1f, Float.POSITIVE_INFINITY}, 2, 1);
        assertThat(image.toBytes()).containsExactly(0, 0, -1, 2, (byte) 128, -1);
    }

    @Test
    void imagesDoNotChange() {
        byte[] pixels = new byte[3];
        Image image = Image.of(1, 1, 3, pixels);
        pixels[0] = 9;
        image.toBytes()[1] = 9;
        assertThat(image).isEqualTo(Image.filled(1, 1, 0));
    }

    @Test
    void sizeAndChannelsArePartOfEquality() {
        assertThat(Image.of(2, 1, 3, new byte[6])).isNotEqualTo(Image.of(1, 2, 3, new byte[6]));
        assertThat(Image.of(4, 1, 3, new byte[12])).isNotEqualTo(Image.of(3, 1, 4, new byte[12]));
    }

    @Test
    void alphaIsDroppedOrLaidOverAColour() {
        Image image = Image.of(2, 1, 4, new byte[] {(byte) 200, 100, 0, 0, (byte) 200, 100, 0, (byte) 128});
        assertThat(image.rgb()).isEqualTo(Image.filled(2, 1, 0xc86400));
        assertThat(image.over(0xffffff).toBytes()).containsExactly(255, 255, 255, 227, 177, 127);
        Image opaque = image.rgb();
        assertThat(opaque.over(0)).isSameAs(opaque.rgb()).isSameAs(opaque);
    }

    @Test
    void cropIsThePartInside() {
        Image image = random(new Random(2), 6, 5, 3);
        Image part = image.crop(2, 1, 4, 3);
        for (int y = 0; y < 3; y++) {
            for (int x = 0; x < 4; x++) {
                assertThat(part.at(x, y, 1)).isEqualTo(image.at(x + 2, y + 1, 1));
            }
        }
        assertThatIllegalArgumentException().isThrownBy(() -> image.crop(3, 0, 4, 5))
            .withMessage("a crop of 4x5 at 3,0 does not lie inside an image of 6x5");
        assertThatIllegalArgumentException().isThrownBy(() -> image.crop(Integer.MAX_VALUE, 0, 4, 5));
    }

    @Test
    void gridIsRowByRow() {
        List<Image> cells = List.of(Image.filled(2, 1, 0xff0000), Image.filled(2, 1, 0x00ff00), Image.filled(2, 1, 0x0000ff));
        Image sheet = Image.grid(cells, 2);
        assertThat(sheet).hasToString("4x2 RGB");
        assertThat(sheet.crop(2, 0, 2, 1)).isEqualTo(cells.get(1));
        assertThat(sheet.crop(0, 1, 2, 1)).isEqualTo(cells.get(2));
        assertThat(sheet.crop(2, 1, 2, 1)).isEqualTo(Image.filled(2, 1, 0));
    }

    @Test
    void gridNeedsEqualImages() {
        assertThatIllegalArgumentException().isThrownBy(() -> Image.grid(List.of(Image.filled(2, 1, 0), Image.filled(1, 2, 0)), 2))
            .withMessage("image 1 of a grid is 1x2 RGB, the first is 2x1 RGB");
        assertThatIllegalArgumentException().isThrownBy(() -> Image.grid(List.of(), 2))
            .withMessage("a grid of 0 images in 2 columns: at least 1 of each needed");
    }

    @Test
    void badInputIsNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> Image.of(2, 2, 3, new byte[11]))
            .withMessage("an image of 2x2x3 needs 12 values, got 11");
        assertThatIllegalArgumentException().isThrownBy(() -> Image.of(2, 2, 1, new byte[4]))
            .withMessage("an image of 1 channels: 3 (RGB) or 4 (RGBA) expected");
        assertThatIllegalArgumentException().isThrownBy(() -> Image.of(0, 2, 3, new byte[0]))
            .withMessage("an image of 0x2: both sides must be at least 1");
        assertThatIllegalArgumentException().isThrownBy(() -> Image.filled(50000, 50000, 0))
            .withMessage("an image of 50000x50000x3 is too large for memory");
        assertThatIllegalArgumentException().isThrownBy(() -> Image.fromChw(new float[7], 2, 1))
            .withMessage("planes of 2x1 need 6 or 8 values, got 7");
        assertThatIllegalArgumentException().isThrownBy(() -> Image.fromChw(new float[] {0, 0, 0, Float.NaN, 0, 0}, 2, 1))
            .withMessage("NaN at x 1, y 0, channel 1");
        assertThatThrownBy(() -> Image.filled(2, 2, 0).at(2, 0, 0)).isInstanceOf(IndexOutOfBoundsException.class)
            .hasMessage("x 2, y 0, channel 0 of 2x2 RGB");
    }
}
