package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.Prompt.Role;
import io.sfumato.image.Image;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PromptTest {
    private final Image picture = Image.filled(32, 48, 0xff0000);
    private final Prompt prompt = Prompt.of("a cat");

    @Test
    void aMaskIsOfAnInitPicture() {
        assertThatThrownBy(() -> prompt.withMask(picture)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a mask says where to draw an init picture anew, and there is no init picture");
        assertThatThrownBy(() -> prompt.withInit(picture).withMask(Image.filled(48, 32, 0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the mask is 48x32, where the init picture's 32x48 is wanted");
        assertThat(prompt.withInit(picture).withMask(picture).has(Role.MASK)).isTrue();
    }

    @Test
    void modelsSayWhatTheyTakeAndNeed() {
        assertThatThrownBy(() -> prompt.withInit(picture).require(Set.of(), Set.of())).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("this model does not take an init picture; it takes a text alone");
        assertThatThrownBy(() -> prompt.require(Set.of(Role.MASK, Role.INIT), Set.of(Role.MASK)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("this model needs a mask; it takes a text with an init picture, a mask");
        assertThatCode(() -> prompt.withInit(picture).require(Set.of(Role.INIT), Set.of(Role.INIT))).doesNotThrowAnyException();
        assertThatThrownBy(() -> prompt.picture(Role.DEPTH)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the prompt has no depth map");
    }

    @Test
    void aSizeThatIsLeftOpenIsThePictures() {
        Prompt wish = prompt.withInit(Image.filled(37, 7, 0));
        assertThat(Options.defaults().sizedFor(wish)).isEqualTo(Options.defaults().withSize(32, 8));
        assertThat(Options.defaults().withSize(64, Options.OF_MODEL).sizedFor(wish)).isEqualTo(Options.defaults().withSize(64, 8));
        assertThat(Options.defaults().sizedFor(prompt)).isEqualTo(Options.defaults());
    }

    @Test
    void strengthIsTheTasksUnlessGiven() {
        Prompt over = prompt.withInit(picture);
        assertThat(Options.defaults().strength(over)).isEqualTo(0.8);
        assertThat(Options.defaults().strength(over.withMask(picture))).isEqualTo(1);
        assertThat(Options.defaults().withStrength(0.3).strength(over.withMask(picture))).isEqualTo(0.3);
        assertThatThrownBy(() -> Options.defaults().withStrength(1.5)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("strength must be 0 to 1, not 1.5");
    }
}
