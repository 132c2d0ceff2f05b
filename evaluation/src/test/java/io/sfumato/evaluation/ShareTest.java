package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ShareTest {
    @Test
    void hasWilsonsInterval() {
        // Newcombe (1998), table I, method 3: 81 of 263 and 0 of 20.
        assertThat(new Share(81, 263).low()).isCloseTo(0.2553, within(5e-5));
        assertThat(new Share(81, 263).high()).isCloseTo(0.3662, within(5e-5));
        assertThat(new Share(0, 20).low()).isCloseTo(0, within(1e-12));
        assertThat(new Share(0, 20).high()).isCloseTo(0.1611, within(5e-5));
    }

    @Test
    void saysItsCounts() {
        assertThat(new Share(81, 263)).hasToString("30.8% (81 of 263; 25.5 to 36.6)");
        assertThat(new Share(0, 0)).hasToString("0.0% (0 of 0; 0.0 to 100.0)");
    }

    @Test
    void refusesMoreHitsThanTries() {
        assertThatThrownBy(() -> new Share(3, 2)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("3 hits of 2 tries: 0 to 2 hits are wanted");
    }
}
