package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.tensor.Engine;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;

class ShardsTest {
    private static final int BATCH = 7;

    @Test
    void gradientsOfManyShardsAreThoseOfOne() {
        try (var scope = new Scope()) {
            double[][] one = gradient(1), three = gradient(3), more = gradient(20);
            for (int i = 0; i < 2; i++) {
                assertThat(three[i]).containsExactly(one[i], within(1e-6));
                assertThat(more[i]).containsExactly(one[i], within(1e-6));
            }
        }
    }

    @Test
    void aBatchInPartsHasTheSameGradients() {
        try (var scope = new Scope()) {
            double[][] one = gradient(1);
            for (int parts : new int[] {2, 3, 7}) {
                for (int threads : new int[] {1, 2, 4}) {
                    double[][] other = gradient(threads, parts);
                    assertThat(other[0]).containsExactly(one[0], within(1e-6));
                    assertThat(other[1]).containsExactly(one[1], within(1e-6));
                }
            }
        }
    }

    private static double[][] gradient(int threads) {
        return gradient(threads, 1);
    }

    // The loss and its gradient.
    private static double[][] gradient(int threads, int parts) {
        int before = Engine.threads();
        Engine.setThreads(threads);
        try (Rng rng = new Rng(1); Shards shards = new Shards(BATCH, parts, ProcessGroup.alone())) {
            assertThat(Engine.threads()).isEqualTo(1);
            Tensor w = rng.randn(3, 2).requiresGrad_(true), x = rng.randn(BATCH, 3);
            double loss = shards.backward(BATCH, (from, count) -> x.narrow(0, from, count).matmul(w).tanh().square().mean());
            return new double[][] {{loss}, w.grad().toDoubles()};
        } finally {
            assertThat(Engine.threads()).isEqualTo(threads);
            Engine.setThreads(before);
        }
    }

    @Test
    void aBatchThatIsTooSmallIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Shards(3, 4, ProcessGroup.alone()))
                .withMessage("a batch of 3 cannot be shared among 1 processes in 4 parts each: a batch of 4 or more is wanted");
    }

    @Test
    void aFailureInAShardIsOneLine() {
        try (Shards shards = new Shards(2)) {
            assertThatIllegalStateException().isThrownBy(() -> shards.backward(2, (from, count) -> {
                throw new IllegalArgumentException("no such picture");
            })).withMessage("a training step failed: no such picture");
        }
    }
}
