package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void warmsUpThenFallsToATenth() {
        Schedule schedule = new Schedule(2, 10, 110);
        assertThat(schedule.at(0)).isCloseTo(0.2, within(1e-12));
        assertThat(schedule.at(9)).isEqualTo(2);
        assertThat(schedule.at(10)).isEqualTo(2);
        assertThat(schedule.at(60)).isCloseTo(1.1, within(1e-12));
        assertThat(schedule.at(110)).isCloseTo(0.2, within(1e-12));
        for (int step = 10; step < 110; step++) {
            assertThat(schedule.at(step + 1)).isLessThan(schedule.at(step));
        }
    }

    @Test
    void theOtherShapesWarmUpTheSameWay() {
        Schedule linear = new Schedule(2, 10, 110, Schedule.Shape.LINEAR), constant = new Schedule(2, 10, 110, Schedule.Shape.CONSTANT);
        for (int step = 0; step <= 10; step++) {
            assertThat(linear.at(step)).isEqualTo(constant.at(step)).isEqualTo(new Schedule(2, 10, 110).at(step));
        }
        assertThat(linear.at(35)).isCloseTo(2 * (0.1 + 0.9 * 0.75), within(1e-12));
        assertThat(linear.at(110)).isCloseTo(0.2, within(1e-12));
        assertThat(linear.at(200)).isCloseTo(0.2, within(1e-12));
        assertThat(constant.at(110)).isEqualTo(2);
    }

    @Test
    void withoutWarmupItBeginsAtThePeak() {
        assertThat(new Schedule(3, 0, 5).at(0)).isEqualTo(3);
    }

    @Test
    void impossibleOnesAreRefused() {
        double[][] impossible = {{0, 1, 1}, {Double.NaN, 1, 1}, {1, -1, 1}, {1, 1, 0}};
        for (double[] each : impossible) {
            assertThatIllegalArgumentException().isThrownBy(() -> new Schedule(each[0], (long) each[1], (long) each[2]))
                    .withMessageEndingWith(": a rate and steps above 0 are wanted");
        }
    }
}
