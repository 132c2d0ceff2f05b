package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class FusedAdamWTest {
    @Test
    void theFirstStepIsTheRateAgainstTheSignOfTheGradient() {
        try (var scope = new Scope()) {
            Tensor p = Tensor.of(new float[] {1, -2, 3}, 3), q = Tensor.of(new float[] {5}, 1);
            Tensor mp = Tensor.zeros(3), vp = Tensor.zeros(3), mq = Tensor.zeros(1), vq = Tensor.zeros(1);
            new FusedAdamW(0.5, 0.9, 0.999, 0, 1e-8).step(List.of(p, q),
                    List.of(Tensor.of(new float[] {7, -0.1f, 0}, 3), Tensor.of(new float[] {-3}, 1)), List.of(mp, mq), List.of(vp, vq), 1);
            assertThat(p.toDoubles()).containsExactly(new double[] {0.5, -1.5, 3}, within(1e-5));
            assertThat(q.toDoubles()).containsExactly(new double[] {5.5}, within(1e-5));
            assertThat(mp.toDoubles()).containsExactly(new double[] {0.7, -0.01, 0}, within(1e-6));
            assertThat(vp.toDoubles()).containsExactly(new double[] {0.049, 1e-5, 0}, within(1e-6));
        }
    }

    @Test
    void weightsDecayByTheRateTimesTheDecayWhateverTheGradient() {
        try (var scope = new Scope()) {
            Tensor p = Tensor.of(new float[] {2, -4}, 2).requiresGrad_(true);
            new FusedAdamW(0.1, 0.9, 0.999, 0.5, 1e-8).step(List.of(p), List.of(Tensor.zeros(2)), List.of(Tensor.zeros(2)),
                    List.of(Tensor.zeros(2)), 1);
            assertThat(p.toDoubles()).containsExactly(new double[] {1.9, -3.8}, within(1e-6));
        }
    }
}
