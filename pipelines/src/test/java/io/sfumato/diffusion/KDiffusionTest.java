package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KDiffusionTest {
    private static SchedulerConfig model(String prediction) {
        return SchedulerConfig.of(new ObjectMapper().valueToTree(Map.of("_class_name", "DDIMScheduler", "beta_start", 0.00085,
                "beta_end", 0.012, "beta_schedule", "scaled_linear", "prediction_type", prediction, "clip_sample", false)));
    }

    @TestFactory
    List<DynamicTest> endsOfTheReference() {
        List<DynamicTest> tests = new ArrayList<>();
        try (var fixture = Fixture.open("k")) {
            for (JsonNode c : fixture.cases()) {
                tests.add(DynamicTest.dynamicTest(c.get("name").asText(), () -> check(c)));
            }
        }
        assertThat(tests).hasSizeGreaterThan(70);
        return tests;
    }

    private static void check(JsonNode c) {
        try (var scope = new Scope(); var fixture = Fixture.open("k")) {
            Map<String, Object> keys = new HashMap<>(Map.of("discard_next_to_last_sigma", c.get("discard").asBoolean()));
            c.get("config").fields().forEachRemaining(e -> keys.put(e.getKey(),
                    e.getValue().isNumber() ? e.getValue().numberValue() : e.getValue().asText()));
            SchedulerConfig chosen = Samplers.choose(model(c.get("prediction").asText()), c.get("sampler").asText()).with(keys);
            SchedulerConfig config = Samplers.schedule(chosen, c.get("schedule").asText());
            String name = c.get("name").asText();
            // A Brownian motion has other digits a millionth away: it is asked at the reference's own sigmas.
            Steps steps = c.get("sampler").asText().endsWith("sde") ? Steps.atSigmas(fixture.tensors().get(name + "/sigmas").toDoubles())
                    : Steps.of(c.get("steps").asInt());
            Sampling sampling = Sampling.of(config, steps, Fixture.options(c.get("step")));
            double[] sigmas = sampling.grid().sigmas();
            if (fixture.tensors().names().contains(name + "/sigmas")) {
                double[] expected = fixture.tensors().get(name + "/sigmas").toDoubles();
                assertThat(sampling.initNoiseSigma()).isCloseTo(expected[0], withinPercentage(1e-3));
                if (sigmas.length == expected.length) {
                    Fixture.sameSigmas(sigmas, expected, 0);
                }
            }
            List<Tensor> xs = fixture.run(sampling, false, new ArrayList<>());
            double tolerance = 1e-5 * Math.max(1, c.get("max_abs").asDouble());
            Fixture.near("end", xs.get(xs.size() - 1), fixture.tensors().get(name + "/end"), tolerance);
        }
    }

    private static float[] run(SchedulerConfig config, int steps) {
        try (var scope = new Scope(); var rng = new Rng(3); var drawn = new Rng(4)) {
            Sampling sampling = Sampling.of(config, steps, 0);
            Tensor x = rng.randn(1, 4, 4, 4).mul(sampling.initNoiseSigma());
            return sampling.sample((in, t) -> in.mul(0.3).add(0.1 * Math.sin(t / 100)), x, Noise.shared(drawn), Step.Listener.none())
                    .toFloats();
        }
    }

    @ParameterizedTest
    @CsvSource({"DPM++ 2M SDE Karras, dpmpp_2m_sde, karras", "DPM++ SDE, dpmpp_sde, karras", "DPM++ 2S a, dpmpp_2s_ancestral, Karras",
        "DPM++ 2M SDE Exponential, dpmpp_2m_sde, exponential", "Heun Align Your Steps, heun, ays", "LMS Karras, lms, karras",
        "Restart, restart_sampler, karras", "Euler a SGM Uniform, euler_ancestral, sgm_uniform"})
    void aNameWithItsScheduleIsTheSamplerWithThatSchedule(String together, String sampler, String schedule) {
        SchedulerConfig model = model("epsilon");
        float[] expected = run(Samplers.schedule(Samplers.choose(model, sampler), schedule), 8);
        assertThat(run(Samplers.choose(model, together), 8)).isEqualTo(expected);
    }

    @Test
    void samplersForFlowsTakeAFlowsModel() {
        SchedulerConfig flow = SchedulerConfig.of(new ObjectMapper().valueToTree(Map.of("_class_name", "FlowMatchEulerDiscreteScheduler",
                "shift", 3.0)));
        assertThat(Samplers.choose(flow, "Euler").className()).isEqualTo("FlowMatchEulerDiscreteScheduler");
        assertThat(Samplers.choose(flow, "heun").className()).isEqualTo("FlowMatchHeunDiscreteScheduler");
        assertThat(run(Samplers.choose(flow, "DPM++ 2M"), 8)).doesNotContain(Float.NaN);
        assertThat(Sampling.of(Samplers.choose(flow, "DPM++ 2M"), 8, 0).prediction()).isEqualTo(Prediction.FLOW);
        assertThatThrownBy(() -> Samplers.choose(flow, "DDIM")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("sampler \"DDIM\": DDIMScheduler is not for a model of FlowMatchEulerDiscreteScheduler; DPMSolver")
                .hasMessageNotContaining("\n");
    }

    @Test
    void aScheduleThatEndsAboveZeroIsRefusedWhereTheEndIsZero() {
        assertThatThrownBy(() -> run(Samplers.choose(model("epsilon"), "Heun KL Optimal"), 8))
                .hasMessageContaining("the schedule ends at sigma 0.0291").hasMessageContaining("samplers with two calls a step end at 0");
    }
}
