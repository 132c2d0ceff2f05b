package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.image.Image;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutpaintingTest {
    private static final Image PICTURE = Image.grid(List.of(Image.filled(4, 6, 0x2040c0), Image.filled(4, 6, 0xe0c010)), 2);

    @Test
    void coloursGoOnFromTheEdgesUnderTheWhiteOfAMask() {
        Prompt larger = new Outpainting(2, 3, 5, 0).of(Prompt.of("a cat").withNegative("rain").withInit(PICTURE)
                .with(Prompt.Role.LIKE, PICTURE).toward("a dog", 0.5));
        assertThat(larger.text() + larger.negative() + larger.turn().to()).isEqualTo("a catraina dog");
        Image init = larger.picture(Prompt.Role.INIT), mask = larger.picture(Prompt.Role.MASK);
        assertThat(List.of(init.width(), init.height(), mask.width(), mask.height())).containsExactly(15, 9, 15, 9);
        assertThat(init.crop(2, 3, 8, 6).toBytes()).isEqualTo(PICTURE.toBytes());
        assertThat(List.of(init.at(0, 0, 0), init.at(14, 0, 0), init.at(14, 8, 2))).containsExactly(0x20, 0xe0, 0x10);
        assertThat(mask.crop(2, 3, 8, 6).toBytes()).containsOnly(0);
        assertThat(List.of(mask.at(1, 4, 0), mask.at(10, 4, 1), mask.at(5, 2, 2))).containsOnly(255);
        assertThat(larger.picture(Prompt.Role.LIKE)).isSameAs(PICTURE);
    }

    @Test
    void aMaskOfItsOwnStays() {
        Image own = Image.grid(List.of(Image.filled(4, 6, 0), Image.filled(4, 6, 0x808080)), 2);
        Image mask = new Outpainting(1, 0, 0, 0).of(Prompt.of("").withInit(PICTURE).withMask(own)).picture(Prompt.Role.MASK);
        assertThat(List.of(mask.at(0, 0, 0), mask.at(1, 0, 0), mask.at(8, 5, 0))).containsExactly(255, 0, 0x80);
    }

    @Test
    void namesWhatCannotBe() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Outpainting(0, -1, 0, 0))
                .withMessage("a picture is extended by 0 to 8192 pixels, not -1");
        assertThatIllegalArgumentException().isThrownBy(() -> new Outpainting(0, 0, 0, 0))
                .withMessage("a picture is extended at one side at least");
        assertThatIllegalArgumentException().isThrownBy(() -> new Outpainting(8, 0, 0, 0).of(Prompt.of("")))
                .withMessage("the prompt has no init picture");
    }
}
