package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.image.Image;
import java.util.List;
import org.junit.jupiter.api.Test;

class MaskedAreaTest {
    private static final Image LEFT = Image.filled(16, 32, 0x3060c0), RIGHT = Image.filled(16, 32, 0xf0a000);
    private static final Image PICTURE = Image.grid(List.of(LEFT, RIGHT), 2);
    private static final Image MASK = mask(10, 12, 8, 6);
    private static final Options OPTIONS = Options.defaults().withSize(32, 32);

    /** White in a box of a black picture of 32x32. */
    private static Image mask(int x, int y, int width, int height) {
        byte[] pixels = Image.filled(32, 32, 0).toBytes();
        for (int i = 0; i < pixels.length; i++) {
            int px = i / 3 % 32, py = i / 3 / 32;
            pixels[i] = (byte) (px >= x && px < x + width && py >= y && py < y + height ? 255 : 0);
        }
        return Image.of(32, 32, 3, pixels);
    }

    private static MaskedArea area(Options o, Image mask) {
        return MaskedArea.of(Prompt.of("a cat").withInit(PICTURE).withMask(mask), o);
    }

    @Test
    void theWholePictureIsDrawnUnlessOnlyTheMaskedPartIsWanted() {
        MaskedArea area = area(OPTIONS, MASK);
        assertThat(area.prompt()).isEqualTo(Prompt.of("a cat").withInit(PICTURE).withMask(MASK));
        assertThat(area.laidBack(LEFT)).isSameAs(LEFT);
    }

    @Test
    void thePartIsWidenedToTheProportionsDrawnAndLiesWithinThePicture() {
        MaskedArea square = area(OPTIONS.withMaskPadding(2), MASK);
        assertThat(List.of(square.x(), square.y(), square.width(), square.height())).containsExactly(8, 9, 12, 12);
        MaskedArea wide = area(OPTIONS.withSize(64, 32).withMaskPadding(2), mask(0, 0, 4, 8));
        assertThat(List.of(wide.x(), wide.y(), wide.width(), wide.height())).containsExactly(0, 0, 20, 10);
        MaskedArea tall = area(OPTIONS.withSize(8, 64).withMaskPadding(0), mask(28, 2, 4, 10));
        assertThat(List.of(tall.x(), tall.y(), tall.width(), tall.height())).containsExactly(28, 0, 4, 32);
        assertThat(square.prompt().picture(Prompt.Role.INIT)).isEqualTo(PICTURE.crop(8, 9, 12, 12));
    }

    @Test
    void outsideTheMaskThePictureStays() {
        Image back = area(OPTIONS.withMaskPadding(2), MASK).laidBack(Image.filled(32, 32, 0x00ff00));
        for (int i = 0; i < 32 * 32; i++) {
            int x = i % 32, y = i / 32;
            boolean white = x >= 10 && x < 18 && y >= 12 && y < 18;
            assertThat(back.at(x, y, 1)).isEqualTo(white ? 255 : PICTURE.at(x, y, 1));
        }
    }

    @Test
    void aBlurredEdgeIsAMixture() {
        Image back = area(OPTIONS.withMaskBlur(2), MASK).laidBack(Image.filled(32, 32, 0x00ff00));
        assertThat(back.at(13, 14, 1)).isEqualTo(255);
        assertThat(back.at(8, 14, 1)).isBetween(100, 250);
        assertThat(back.at(0, 0, 1)).isEqualTo(0x60);
    }

    @Test
    void surroundingsFlowUnderTheMask() {
        Image under = area(OPTIONS.withMaskFill(Options.MaskFill.SURROUNDINGS), mask(4, 8, 24, 16)).prompt().picture(Prompt.Role.INIT);
        assertThat(under.at(1, 1, 0)).isEqualTo(0x30);
        assertThat(under.at(30, 30, 2)).isZero();
        assertThat(under.at(5, 16, 2)).isGreaterThan(under.at(26, 16, 2)).isGreaterThan(0x60);
        assertThat(under.at(15, 16, 0)).isBetween(0x30, 0xf0);
    }
}
