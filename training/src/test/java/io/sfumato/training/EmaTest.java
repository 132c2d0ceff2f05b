package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EmaTest {
    @Test
    void theDecayWarmsUpToItsValue() {
        try (var scope = new Scope()) {
            Tensor p = Tensor.full(1, 2).requiresGrad_(true);
            try (Ema ema = new Ema(Map.of("p", p), 0.5)) {
                double wanted = 1;
                for (int step = 0; step < 30; step++) {
                    set(p, step);
                    ema.update(step);
                    double decay = Math.min(0.5, (1.0 + step) / (10.0 + step));
                    wanted = decay * wanted + (1 - decay) * step;
                    assertThat(ema.average().get("p").toDoubles()).containsExactly(new double[] {wanted, wanted}, within(1e-4));
                }
            }
        }
    }

    @Test
    void swappedRunsWithTheAverageAndPutsTheParametersBack() {
        try (var scope = new Scope()) {
            Tensor p = Tensor.full(1, 2).requiresGrad_(true);
            try (Ema ema = new Ema(Map.of("p", p), 0.9)) {
                set(p, 5);
                ema.swapped(() -> assertThat(p.toFloats()).containsOnly(1));
                assertThat(p.toFloats()).containsOnly(5);
                assertThat(ema.average().get("p").toFloats()).containsOnly(1);
            }
        }
    }

    private static void set(Tensor p, double value) {
        try (var noGrad = new NoGrad()) {
            p.copy_(Tensor.full(value, p.shape()));
        }
    }
}
