package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A batch is worth it. */
class BatchTest {
    private static final int ROUNDS = 7;
    private static final int COUNT = 4;

    @Test
    void fourPicturesAtOnceAreFasterThanOneByOne() {
        try (TextToImage model = TextToImage.load(Ran.MODEL.toString())) {
            Options options = model.defaults().withSteps(10);
            List<Double> ratios = new ArrayList<>();
            // Side by side, so that what else the machine does slows both; the first round warms up.
            for (int round = 0; round <= ROUNDS; round++) {
                long begin = System.nanoTime();
                for (int i = 0; i < COUNT; i++) {
                    model.generate(Prompt.of("a red apple"), options.withSeed(i), Listener.none());
                }
                long middle = System.nanoTime();
                model.generate(Prompt.of("a red apple"), options.withCount(COUNT), Listener.none());
                if (round > 0) {
                    ratios.add((middle - begin) / (double) (System.nanoTime() - middle));
                }
            }
            assertThat(ratios.stream().sorted().toList().get(ROUNDS / 2)).as("times as fast: %s", ratios).isGreaterThanOrEqualTo(1.2);
        }
    }
}
