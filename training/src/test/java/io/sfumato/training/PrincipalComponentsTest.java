package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PrincipalComponentsTest {
    @Test
    void findsTheAxesThatDataWereSpreadAlong() {
        double[][] axes = {{0.6, 0.8, 0, 0}, {-0.8, 0.6, 0, 0}, {0, 0, 0.28, 0.96}, {0, 0, -0.96, 0.28}};
        double[] spread = {3, 1, 2, 0.5};
        Random random = new Random(1);
        double[][] data = new double[4000][4];
        for (double[] row : data) {
            for (int k = 0; k < 4; k++) {
                double along = spread[k] * random.nextGaussian();
                for (int i = 0; i < 4; i++) {
                    row[i] += along * axes[k][i] + (k == 0 ? i : 0);
                }
            }
        }
        PrincipalComponents found = PrincipalComponents.of(data, 3);
        int[] order = {0, 2, 1};
        for (int k = 0; k < 3; k++) {
            double cosine = 0;
            for (int i = 0; i < 4; i++) {
                cosine += found.axes()[k][i] * axes[order[k]][i];
                assertThat(found.mean()[i]).isEqualTo(i, within(0.2));
            }
            assertThat(Math.abs(cosine)).isEqualTo(1, within(1e-2));
            assertThat(Math.sqrt(found.variance()[k])).isEqualTo(spread[order[k]], within(0.1));
        }
        assertThat(found.axes()).hasNumberOfRows(3);
    }

    @Test
    void axesAreAtRightAnglesAndHoldAllOfTheData() {
        Random random = new Random(2);
        double[][] data = new double[60][20];
        for (double[] row : data) {
            for (int i = 0; i < row.length; i++) {
                row[i] = random.nextGaussian() * (i + 1);
            }
        }
        PrincipalComponents found = PrincipalComponents.of(data, 20);
        double[] rebuilt = found.mean().clone();
        for (double[] axis : found.axes()) {
            double along = 0;
            for (int i = 0; i < axis.length; i++) {
                along += (data[7][i] - found.mean()[i]) * axis[i];
            }
            for (int i = 0; i < axis.length; i++) {
                rebuilt[i] += along * axis[i];
            }
        }
        assertThat(rebuilt).containsExactly(data[7], within(1e-8));
        assertThat(found.variance()).isSortedAccordingTo((a, b) -> Double.compare(b, a));
    }
}
