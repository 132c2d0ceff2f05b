package io.sfumato.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlurTest {
    @ParameterizedTest
    @ValueSource(strings = {"0.3", "1", "4", "40"})
    void equalsPillowBitForBit(String radius) {
        for (String kind : new String[] {"rgb", "rgba"}) {
            Image blurred = Fixtures.image(kind + ".png").blur(Double.parseDouble(radius));
            assertThat(blurred).as(kind).isEqualTo(Fixtures.image("expected/blur-" + kind + "-" + radius + ".png"));
        }
    }

    @Test
    void oneColourStaysAndNoRadiusIsNoBlur() {
        Image image = Image.filled(9, 3, 0x12fe80);
        assertThat(image.blur(20)).isEqualTo(image);
        assertThat(image.blur(0)).isSameAs(image);
        assertThatIllegalArgumentException().isThrownBy(() -> image.blur(-1)).withMessage("a blur of radius -1.0: 0 to 16384 is wanted");
    }
}
