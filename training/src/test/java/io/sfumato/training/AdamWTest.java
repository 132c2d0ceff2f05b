package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.Golden;
import io.sfumato.LiveObjects;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Against torch.optim.AdamW with clip_grad_norm_, from golden/training. */
class AdamWTest {
    @Test
    void equalsPyTorch() {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(Golden.file("training/golden.safetensors"))) {
            Map<String, Tensor> parameters = Map.of("w", golden.get("adamw.w.0").clone().requiresGrad_(true),
                    "b", golden.get("adamw.b.0").clone().requiresGrad_(true));
            double[] norms = golden.get("adamw.norm").toDoubles();
            try (AdamW optimizer = new AdamW(parameters, 0.1, 1)) {
                for (int k = 0; k < 6; k++) {
                    int step = k;
                    parameters.forEach((name, p) -> p.mul(golden.get("adamw." + name + ".grad." + step)).sum().backward());
                    assertThat(optimizer.step(k + 1, 0.01 * (k + 1))).isCloseTo(norms[k], within(1e-5));
                    parameters.forEach((name, p) -> {
                        assertThat(p.toDoubles()).containsExactly(golden.get("adamw." + name + "." + (step + 1)).toDoubles(), within(1e-6));
                        assertThat(p.grad().toFloats()).containsOnly(0);
                    });
                }
            }
        }
    }

    @Test
    void aStepLeavesNothingBehind() {
        try (var scope = new Scope()) {
            Map<String, Tensor> parameters = Map.of("w", Tensor.ones(2, 3).requiresGrad_(true));
            try (AdamW optimizer = new AdamW(parameters, 0, 1)) {
                step(parameters, optimizer, 1);
                long before = LiveObjects.settled();
                for (int i = 2; i < 5; i++) {
                    step(parameters, optimizer, i);
                }
                assertThat(Scope.live()).isEqualTo(before);
            }
        }
    }

    private static void step(Map<String, Tensor> parameters, AdamW optimizer, int step) {
        try (var scope = new Scope()) {
            parameters.get("w").square().sum().backward();
            optimizer.step(step, 0.1);
        }
    }
}
