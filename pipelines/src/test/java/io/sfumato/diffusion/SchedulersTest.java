package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

class SchedulersTest {
    @TestFactory
    List<DynamicTest> trajectoriesOfTheReference() {
        List<DynamicTest> tests = new ArrayList<>();
        try (var fixture = Fixture.open("golden")) {
            for (JsonNode c : fixture.cases()) {
                tests.add(DynamicTest.dynamicTest(c.get("name").asText(), () -> check(c)));
            }
        }
        assertThat(tests).hasSize(135);
        return tests;
    }

    private static void check(JsonNode c) {
        try (var scope = new Scope(); var fixture = Fixture.open("golden")) {
            String name = c.get("name").asText() + "/";
            Steps steps = Fixture.steps(c.get("set_timesteps"));
            Sampling whole = Sampling.of(Fixture.config(c), steps, Fixture.options(c.get("step")));
            Fixture.sameTimesteps(whole.grid().timesteps(), fixture.tensors().get(name + "all_timesteps").toDoubles(),
                    c.get("scheduler_class").asText().startsWith("KDPM2"), false);
            assertThat(whole.initNoiseSigma()).isCloseTo(c.get("init_noise_sigma").asDouble(), withinPercentage(1e-4));
            if (fixture.tensors().names().contains(name + "sigmas")) {
                Fixture.sameSigmas(whole.grid().sigmas(), fixture.tensors().get(name + "sigmas").toDoubles(), 0);
            }

            Sampling sampling = c.get("options").has("strength")
                    ? whole.from(Sampling.skipped(steps.count(), c.get("options").get("strength").asDouble())) : whole;
            double tolerance = 1e-5 * Math.max(1, c.get("max_abs").asDouble());
            List<Tensor> inputs = new ArrayList<>();
            List<Tensor> xs = fixture.run(sampling, c.get("options").path("learned").asBoolean(), inputs);
            Tensor samples = fixture.tensors().get(name + "samples");
            assertThat(xs).hasSize((int) samples.size(0));
            for (int i = 0; i < xs.size(); i++) {
                Fixture.near("sample " + i, xs.get(i), samples.select(0, i), tolerance);
            }
            Tensor scaled = fixture.tensors().get(name + "scaled_inputs");
            for (int i = 0; i < inputs.size(); i++) {
                Fixture.near("input " + i, inputs.get(i), scaled.select(0, i), tolerance);
            }
            if (fixture.tensors().names().contains(name + "add_noise")) {
                checkAddNoise(fixture, name, whole);
            }
        }
    }

    /** The two pictures of the batch are noised for the first timestep and the one in the middle. */
    private static void checkAddNoise(Fixture fixture, String name, Sampling sampling) {
        Tensor expected = fixture.tensors().get(name + "add_noise");
        Tensor clean = fixture.tensors().get("clean");
        Tensor unit = fixture.tensors().get("unit_noise");
        int[] calls = {0, sampling.grid().calls() / 2};
        for (int k = 0; k < 2; k++) {
            Tensor noisy = sampling.addNoise(clean.narrow(0, k, 1), unit.narrow(0, k, 1), calls[k]);
            Fixture.near("add_noise " + k, noisy, expected.narrow(0, k, 1), 1e-5 * Math.max(1, sampling.initNoiseSigma()));
        }
    }

    @TestFactory
    List<DynamicTest> randomConfigs() {
        List<DynamicTest> tests = new ArrayList<>();
        try (var fixture = Fixture.open("random")) {
            for (JsonNode c : fixture.cases()) {
                tests.add(DynamicTest.dynamicTest(c.get("name").asText(), () -> checkRandom("random", c,
                        Steps.of(c.get("steps").asInt()))));
            }
        }
        assertThat(tests).hasSizeGreaterThanOrEqualTo(40);
        return tests;
    }

    @TestFactory
    List<DynamicTest> randomConfigsOfEveryClass() {
        List<DynamicTest> tests = new ArrayList<>();
        try (var fixture = Fixture.open("kinds")) {
            for (JsonNode c : fixture.cases()) {
                tests.add(DynamicTest.dynamicTest(c.get("name").asText(), () -> checkRandom("kinds", c,
                        Fixture.steps(c.get("set_timesteps")))));
            }
        }
        assertThat(tests).hasSizeGreaterThanOrEqualTo(150);
        return tests;
    }

    private static void checkRandom(String file, JsonNode c, Steps steps) {
        try (var scope = new Scope(); var fixture = Fixture.open(file)) {
            String name = c.get("name").asText() + "/";
            Sampling whole = Sampling.of(Fixture.config(c), steps, Fixture.options(c.get("step")));
            Fixture.sameTimesteps(whole.grid().timesteps(), fixture.tensors().get(name + "timesteps").toDoubles(),
                    c.get("scheduler_class").asText().startsWith("KDPM2"), file.equals("kinds"));
            assertThat(whole.initNoiseSigma()).isCloseTo(c.get("init_noise_sigma").asDouble(), withinPercentage(1e-4));
            if (fixture.tensors().names().contains(name + "sigmas")) {
                // One bit of a rescaled alpha near 1 is 1e-5 in the smallest sigma.
                boolean rescaled = c.get("config").path("rescale_betas_zero_snr").asBoolean();
                Fixture.sameSigmas(whole.grid().sigmas(), fixture.tensors().get(name + "sigmas").toDoubles(), rescaled ? 2e-5 : 0);
            }
            double strength = c.get("strength").asDouble();
            boolean learned = c.get("config").path("variance_type").asText().startsWith("learned");
            Sampling sampling = strength < 1 ? whole.from(Sampling.skipped(steps.count(), strength)) : whole;
            List<Tensor> xs = fixture.run(sampling, learned, new ArrayList<>());
            Tensor samples = fixture.tensors().get(name + "samples");
            int[] kept = samples.size(0) == 3 ? new int[] {0, 1, xs.size() - 1} : new int[] {1, xs.size() - 1};
            for (int k = 0; k < kept.length; k++) {
                Tensor expected = samples.select(0, k);
                Tensor actual = xs.get(kept[k]).narrow(0, 0, expected.size(0));
                Fixture.near("sample " + kept[k], actual, expected, 1e-5 * Math.max(1, c.get("max_abs").asDouble()));
            }
        }
    }
}
