package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against the steps as the paper and A1111 write them, with both answers of the network at hand. */
class DdimCfgPlusPlusTest {
    private static final Network UNCONDITIONAL = (x, t) -> x.mul(0.4).add(0.2 * Math.cos(t / 150));
    private static final double APART = 0.13;

    private static SchedulerConfig model(String prediction) {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("_class_name", "PNDMScheduler").put("beta_start", 0.00085)
                .put("beta_end", 0.012).put("beta_schedule", "scaled_linear").put("steps_offset", 1).put("set_alpha_to_one", false)
                .put("prediction_type", prediction);
        return Samplers.choose(SchedulerConfig.of(json), "DDIM CFG++");
    }

    @ParameterizedTest
    @CsvSource({"epsilon, 7.5, 0", "epsilon, 12.5, 0", "epsilon, 3, 0.6", "v_prediction, 5, 0"})
    void goesOnAlongTheUnconditionalNoise(String prediction, double guidance, double eta) {
        SchedulerConfig config = model(prediction);
        double[] alphas = config.alphasCumprod();
        double lambda = guidance / 12.5, x = 0.7;
        int steps = 8, stride = 1000 / steps;
        for (int i = steps - 1; i >= 0; i--) {
            int t = i * stride + 1;
            double now = alphas[t], next = t - stride < 0 ? alphas[0] : alphas[t - stride];
            double empty = answer(prediction, x, t, 0, now), guided = answer(prediction, x, t, lambda, now);
            double std = eta * Math.sqrt((1 - next) / (1 - now) * (1 - now / next));
            double x0 = (x - Math.sqrt(1 - now) * guided) / Math.sqrt(now);
            x = Math.sqrt(next) * x0 + Math.sqrt(1 - next - std * std) * empty + std * 0.5;
        }
        try (Scope scope = new Scope()) {
            Tensor end = Sampling.of(config, steps, eta).sample(TwoHeads.of(UNCONDITIONAL, APART, guidance), Tensor.full(0.7, 1, 1),
                    like -> like.mul(0).add(0.5), Step.Listener.none());
            assertThat(end.item()).isCloseTo(x, within(2e-5 * Math.max(1, Math.abs(x))));
        }
    }

    /** The noise that the network predicts at that weight of the condition. */
    private static double answer(String prediction, double x, int t, double weight, double alphaBar) {
        double answer = 0.4 * x + 0.2 * Math.cos(t / 150.0) + weight * APART;
        return prediction.equals("epsilon") ? answer : Math.sqrt(alphaBar) * answer + Math.sqrt(1 - alphaBar) * x;
    }

    @Test
    void networksThatAreNotGuidedAreRefused() {
        try (Scope scope = new Scope()) {
            assertThatThrownBy(() -> Sampling.of(model("epsilon"), 4, 0).sample(UNCONDITIONAL, Tensor.ones(1, 1), like -> like,
                    Step.Listener.none())).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("samplers that change the guidance at each step (CFG++) are for Stable Diffusion alone");
        }
    }
}
