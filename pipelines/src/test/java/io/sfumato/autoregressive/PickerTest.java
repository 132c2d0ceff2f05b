package io.sfumato.autoregressive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.Picking;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PickerTest {
    private final Scope scope = new Scope();

    @AfterEach
    void close() {
        scope.close();
    }

    private static double[] weights(Picking how, Nucleus nucleus, double... probabilities) {
        Tensor logits = Tensor.of(probabilities, 1, probabilities.length).log().to(DType.F32);
        return Picker.weights(logits, how, nucleus).toDoubles();
    }

    @Test
    void topKKeepsTies() {
        double[] w = weights(Picking.defaults().withTopK(2), Nucleus.AT_MOST, 0.1, 0.4, 0.2, 0.2, 0.1);
        assertThat(w).containsExactly(new double[] {0, 0.5, 0.25, 0.25, 0}, within(1e-6));
        assertThat(weights(Picking.defaults().withTopK(9), Nucleus.AT_MOST, 0.5, 0.5)).containsExactly(new double[] {0.5, 0.5},
                within(1e-6));
    }

    @Test
    void theTwoKindsOfTopPDifferOnTheBoundary() {
        // Powers of two: the sum before the third token is exactly 0.75.
        double[] p = {0.125, 0.5, 0.25, 0.125};
        Picking how = Picking.defaults().withTopP(0.75);
        double[] most = weights(how, Nucleus.AT_MOST, p), below = weights(how, Nucleus.BELOW, p);
        assertThat(below).containsExactly(new double[] {0, 0.5, 0.25, 0}, within(1e-6));
        assertThat(most[1]).isCloseTo(0.5, within(1e-6));
        assertThat(most[0] + most[3]).isCloseTo(0.125, within(1e-6));
        assertThat(weights(Picking.defaults().withTopP(0.01), Nucleus.BELOW, p)).containsExactly(new double[] {0, 0.5, 0, 0}, within(1e-6));
    }

    @Test
    void temperatureSharpensAndZeroTakesTheMostLikely() {
        assertThat(weights(Picking.defaults().withTemperature(0.5), Nucleus.BELOW, 0.2, 0.8))
                .containsExactly(new double[] {0.04 / 0.68, 0.64 / 0.68}, within(1e-6));
        Tensor logits = Tensor.of(new float[] {1, 3, 2, 9, 0, 1}, 2, 3);
        assertThat(Picker.pick(logits, Picking.defaults().withTemperature(0), Nucleus.BELOW, w -> w).toLongs()).containsExactly(1, 0);
    }

    @Test
    void drawsAsTorchDoes() {
        // argmax of p / e over each row, e exponential in row order.
        try (var rng = new Rng(7); var again = new Rng(7)) {
            Tensor logits = Tensor.linspace(-1, 1, 12).sin().view(3, 4).mul(3);
            Tensor e = again.exponential(DType.F32, 3, 4);
            Tensor picked = Picker.pick(logits, Picking.defaults(), Nucleus.AT_MOST, w -> rng.multinomial(w, 1, false).squeeze(1));
            assertThat(picked.toLongs()).isEqualTo(logits.softmax(1).div(e).argmax(1).toLongs());
        }
    }

    @Test
    void wrongOptionsAreNamed() {
        Picking how = Picking.defaults();
        assertThatIllegalArgumentException().isThrownBy(() -> how.withTemperature(-1))
                .withMessage("temperature must be 0 to 1000, not -1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> how.withTopK(-2)).withMessage("top-k must be 0 or more, not -2");
        assertThatIllegalArgumentException().isThrownBy(() -> how.withTopP(0)).withMessage("top-p must be above 0 and at most 1, not 0.0");
        assertThatIllegalArgumentException().isThrownBy(() -> how.withGuidedTokens(-1))
                .withMessage("guided tokens must be 0 or more, not -1");
    }
}
