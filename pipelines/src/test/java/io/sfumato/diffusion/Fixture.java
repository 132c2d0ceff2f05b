package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Trajectories of the reference's schedulers with a cheap stand-in for the network: 0.3 x + 0.1 sin(t / 100). */
record Fixture(JsonNode json, SafeTensors tensors) implements AutoCloseable {
    private static final long STEP_SEED = 777;

    static Fixture open(String name) {
        return new Fixture(JsonFile.read(path(name + ".json")), SafeTensors.open(path(name + ".safetensors")));
    }

    private static Path path(String name) {
        try {
            return Path.of(Fixture.class.getResource("/schedulers/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    List<JsonNode> cases() {
        List<JsonNode> cases = new ArrayList<>();
        json.get("cases").forEach(cases::add);
        return cases;
    }

    static SchedulerConfig config(JsonNode c) {
        ObjectNode config = c.get("config").deepCopy();
        return SchedulerConfig.of(config.put("_class_name", c.get("scheduler_class").asText()));
    }

    static Steps steps(JsonNode set) {
        double mu = set.path("mu").asDouble(Steps.NO_MU);
        Steps steps = set.has("timesteps") ? Steps.atTimesteps(doubles(set.get("timesteps")))
                : set.has("sigmas") ? Steps.atSigmas(doubles(set.get("sigmas"))) : Steps.of(set.get("num_inference_steps").asInt());
        return steps.withMu(mu).withStrength(set.path("strength").asDouble(1));
    }

    private static double[] doubles(JsonNode list) {
        double[] values = new double[list.size()];
        Arrays.setAll(values, i -> list.get(i).asDouble());
        return values;
    }

    static StepOptions options(JsonNode step) {
        Churn churn = new Churn(step.path("s_churn").asDouble(0), step.path("s_tmin").asDouble(0),
                step.path("s_tmax").asDouble(Double.POSITIVE_INFINITY), step.path("s_noise").asDouble(1));
        return StepOptions.defaults().withEta(step.path("eta").asDouble(0)).withOrder(step.path("order").asInt(4)).withChurn(churn)
                .withClippedOutput(step.path("use_clipped_model_output").asBoolean(false));
    }

    /** The initial x, then x after each step; {@code inputs} gets what the network was given. */
    List<Tensor> run(Sampling sampling, boolean learned, List<Tensor> inputs) {
        Tensor unit = tensors.get("unit_noise");
        int start = sampling.grid().start();
        Tensor x = start > 0 ? sampling.addNoise(tensors.get("clean"), unit) : unit.mul(sampling.initNoiseSigma());
        List<Tensor> xs = new ArrayList<>(List.of(x));
        try (var rng = new Rng(STEP_SEED)) {
            sampling.sample((in, t) -> {
                inputs.add(in.clone().retain());
                Tensor out = in.mul(0.3).add(0.1 * Math.sin(t / 100));
                return learned ? Tensor.cat(1, out, in.mul(0.5)) : out;
            }, x, Noise.shared(rng), step -> {
                xs.add(step.x().clone().retain());
                return step.x();
            });
        }
        return xs;
    }

    static void near(String what, Tensor actual, Tensor expected, double tolerance) {
        assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
        assertThat(actual.sub(expected).abs().amax(false, 0, 1, 2, 3).item()).as(what).isLessThanOrEqualTo(tolerance);
    }

    /**
     * Whole timesteps must agree exactly. Others, found from sigmas by float32 square roots and logarithms, whose last bit depends
     * on the library that the reference was built with, by a few units in the last place. The timesteps in the {@code middles} of
     * steps come from a difference of squares, which magnifies that bit; {@code byChance} says that one of the others may be whole.
     */
    static void sameTimesteps(double[] actual, double[] expected, boolean middles, boolean byChance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            boolean whole = expected[i] == Math.rint(expected[i]) && !(byChance && actual[i] != Math.rint(actual[i]));
            double tolerance = whole ? 0 : 3 * Math.ulp((float) expected[i]) + 1e-5;
            assertThat(actual[i]).as("timestep " + i).isCloseTo(expected[i], offset(middles && i % 2 == 1 ? 1e-3 : tolerance));
        }
    }

    static void sameSigmas(double[] actual, double[] expected, double absolute) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).as("sigma " + i).isCloseTo(expected[i], offset(1e-5 * Math.abs(expected[i]) + absolute));
        }
    }

    @Override
    public void close() {
        tensors.close();
    }
}
