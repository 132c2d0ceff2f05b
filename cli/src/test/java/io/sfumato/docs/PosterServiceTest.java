package io.sfumato.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import org.junit.jupiter.api.Test;

class PosterServiceTest {
    /** What is tested: it draws a poster for a title, with whatever model it is given. */
    record PosterService(TextToImage model, Options options) {
        Image poster(String title) {
            return model.generate(Prompt.of(title), options);
        }
    }

    @Test
    void theSameTitleGivesTheSamePoster() {
        try (TextToImage model = TextToImage.embedded()) {
            PosterService service = new PosterService(model, model.defaults().withSteps(4).withSeed(7));
            Image poster = service.poster("a red apple");
            assertThat(poster.width()).isEqualTo(64);
            assertThat(service.poster("a red apple")).isEqualTo(poster);
            assertThat(service.poster("a blue house")).isNotEqualTo(poster);
        }
    }
}
