package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.image.Image;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Candidates are ranked by their scores: on the tiny minDALL-E. */
class CandidatesTest {
    private static double redness(Prompt prompt, Image image) {
        double red = 0;
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < image.width(); x++) {
                red += image.at(x, y, 0);
            }
        }
        return red;
    }

    @Test
    void theBestIsFirst() {
        try (TextToImage model = TextToImage.load(Golden.file("kakao/config.yaml").getParent().toString())) {
            Options o = model.defaults().withSeed(3).withCount(4);
            List<Candidates.Scored> ranked = Candidates.draw(model, Prompt.of("a cat"), o, CandidatesTest::redness, Listener.none());
            assertThat(ranked).hasSize(4).isSortedAccordingTo((a, b) -> Double.compare(b.score(), a.score()));
            Candidates.Scored best = ranked.get(0);
            assertThat(best.image()).isEqualTo(model.generate(Prompt.of("a cat"), o.withSeed(3 + best.candidate())));
            assertThat(best.score()).isEqualTo(redness(Prompt.of("a cat"), best.image()));
            // More candidates never make the best worse.
            assertThat(Candidates.draw(model, Prompt.of("a cat"), o.withCount(2), CandidatesTest::redness, Listener.none()).get(0).score())
                    .isLessThanOrEqualTo(best.score());
            assertThatIllegalArgumentException().isThrownBy(() -> CherryTree.grow(model, List.of(), o, Listener.none()))
                    .withMessage("at least one prompt is wanted");
        }
    }
}
