package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Against transformers 5.23's Adafactor (beta1 0.9, clip threshold 1, decay rate -0.8, neither relative steps nor scaled parameters). */
class AdafactorTest {
    @Test
    void fourStepsOfAMatrixAndAVector() {
        try (var scope = new Scope()) {
            Tensor a = Tensor.linspace(-1, 1, 6).view(2, 3).clone().requiresGrad_(true);
            Tensor b = Tensor.of(new float[] {0.5f, -0.25f, 1}, 3).requiresGrad_(true);
            Tensor x = Tensor.of(new float[] {1, 2, -1, 0.5f, 0, 3}, 2, 3);
            try (Adafactor optimizer = new Adafactor(Map.of("a", a, "b", b), 1, 0, 1e9)) {
                for (int step = 1; step <= 4; step++) {
                    a.mul(x).sum(false, 0).mul(b).mul(step).sum().add(a.square().sum()).backward();
                    assertThat(optimizer.step(step, 0.1)).isPositive();
                    assertThat(a.grad().abs().sum().item()).isZero();
                }
                assertThat(optimizer.moments().get("rows").get("a").shape()).containsExactly(2, 1);
                assertThat(optimizer.moments().get("columns").get("a").shape()).containsExactly(1, 3);
            }
            assertThat(a.toDoubles()).containsExactly(new double[] {-0.908205, -0.448183, -0.146163, 0.153478, 0.560350, 0.918941},
                    within(2e-6));
            assertThat(b.toDoubles()).containsExactly(new double[] {0.590640, -0.159875, 0.909298}, within(2e-6));
        }
    }

    @Test
    void matricesDecayAndGradientsAreClipped() {
        try (var scope = new Scope()) {
            Tensor a = Tensor.ones(2, 2).requiresGrad_(true), b = Tensor.ones(2).requiresGrad_(true);
            try (Adafactor optimizer = new Adafactor(Map.of("a", a, "b", b), 0.96, 0.5, 1)) {
                a.sum().add(b.sum()).mul(10).backward();
                assertThat(optimizer.step(1, 0.1)).isEqualTo(Math.sqrt(6) * 10, within(1e-4));
                // Decay 0.05 of the matrix; a first moment of 0.1 times an update of 0.1.
                assertThat(a.toDoubles()).containsOnly(new double[] {0.95 - 0.01}, within(1e-6));
                assertThat(b.toDoubles()).containsOnly(new double[] {1 - 0.01}, within(1e-6));
            }
        }
    }
}
