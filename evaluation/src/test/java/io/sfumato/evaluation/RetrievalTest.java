package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.evaluation.Retrieval.Recall;
import org.junit.jupiter.api.Test;

class RetrievalTest {
    @Test
    void countsWhatStandsBeforeTheRightOne() {
        // Picture 0 is nearest to text 1; text 1 is nearest to picture 0, and picture 1 to its own text.
        Retrieval retrieval = Retrieval.of(new double[][] {{0.5, 0.9, 0}, {0.1, 0.8, 0}, {0, 0, 1}});
        assertThat(retrieval.textOfPicture()).isEqualTo(new Recall(2 / 3.0, 1, 1));
        assertThat(retrieval.pictureOfText()).isEqualTo(new Recall(2 / 3.0, 1, 1));
        assertThat(retrieval.json()).startsWith("{\"scenes\":3,\"pictureOfText\":{\"at1\":0.66");
    }

    @Test
    void theWholeListAlwaysHasTheRightOne() {
        double[][] upsideDown = new double[10][10];
        for (int i = 0; i < 10; i++) {
            upsideDown[i][i] = -1;
        }
        assertThat(Retrieval.of(upsideDown).textOfPicture()).isEqualTo(new Recall(0, 0, 1));
    }
}
