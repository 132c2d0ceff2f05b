package io.sfumato.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ResamplingTest {
    private static final int[][] SIZES = {{9, 5}, {47, 31}, {20, 3}, {1, 14}};

    @ParameterizedTest
    @EnumSource
    void equalsPillowBitForBit(Resampling resampling) {
        for (String kind : new String[] {"rgb", "rgba"}) {
            Image image = Fixtures.image(kind + ".png");
            for (int[] size : SIZES) {
                String name = "expected/resize-" + kind + "-" + resampling.name().toLowerCase(Locale.ROOT) + "-" + size[0] + "x" + size[1];
                assertThat(image.resize(size[0], size[1], resampling)).as(name).isEqualTo(Fixtures.image(name + ".png"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void oneColourStays(Resampling resampling) {
        Image image = Image.filled(31, 17, 0x12fe80);
        assertThat(image.resize(31, 17, resampling)).isSameAs(image);
        assertThat(image.resize(7, 40, resampling)).isEqualTo(Image.filled(7, 40, 0x12fe80));
    }

    @ParameterizedTest
    @EnumSource
    void impossibleSizesAreNamed(Resampling resampling) {
        assertThatIllegalArgumentException().isThrownBy(() -> Image.filled(2, 2, 0).resize(0, 3, resampling))
            .withMessage("cannot resize 2x2 RGB to 0x3");
        assertThatIllegalArgumentException().isThrownBy(() -> Image.filled(2, 2, 0).resize(1 << 20, 1 << 20, resampling))
            .withMessage("cannot resize 2x2 RGB to 1048576x1048576");
    }
}
