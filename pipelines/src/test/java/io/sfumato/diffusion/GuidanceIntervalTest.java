package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuidanceIntervalTest {
    private static Sampling sampling(String sampler, int steps) {
        SchedulerConfig model = SchedulerConfig.of(JsonNodeFactory.instance.objectNode().put("_class_name", "DDIMScheduler"));
        return Sampling.of(Samplers.choose(model, sampler), steps, 0);
    }

    /** Evaluations of a network whose guided calls cost two: the calls of a whole run, G where they are guided. */
    private static String calls(Sampling sampling, double start, double stop) {
        GuidanceInterval interval = GuidanceInterval.of(sampling.grid(), start, stop);
        List<String> calls = new ArrayList<>();
        try (Scope scope = new Scope()) {
            sampling.sample((x, t) -> {
                calls.add(interval.contains(t) ? "G" : "-");
                return x.mul(0.5);
            }, Tensor.ones(1, 1), like -> like.mul(0), Step.Listener.none());
        }
        return String.join("", calls);
    }

    @ParameterizedTest
    @CsvSource({
        "DDIM,  10, 0,    1,    GGGGGGGGGG",
        "DDIM,  10, 0.25, 0.75, --GGGGG---",
        "DDIM,  10, 0.2,  1,    --GGGGGGGG",
        "DDIM,  10, 0,    0.5,  GGGGG-----",
        "Euler, 10, 0,    0.5,  GGGGG-----",
        "DDIM,  10, 0.5,  0.5,  ----------",
        "DDIM,  10, 0,    0,    ----------",
        "DDIM,  10, 1,    1,    ----------",
        "DDIM,  10, 0.99, 1,    ---------G",
        // A step of two calls: the second is made at the noise level where the next step begins, and guided as that is.
        "HeunDiscreteScheduler, 5, 0.25, 0.75, -GGGG----",
        "HeunDiscreteScheduler, 5, 0,    1,    GGGGGGGGG"})
    void guidesFromShareToShare(String sampler, int steps, double start, double stop, String calls) {
        assertThat(calls(sampling(sampler, steps), start, stop)).isEqualTo(calls);
    }

    @Test
    void sharesAreOfTheStepsThatAreMade() {
        assertThat(calls(sampling("DDIM", 10).from(6), 0.5, 1)).isEqualTo("--GG");
        assertThat(calls(sampling("DDIM", 10).from(6), 0, 0.5)).isEqualTo("GG--");
    }

    @Test
    void mustNotStopBeforeItStarts() {
        Grid grid = sampling("DDIM", 4).grid();
        assertThatThrownBy(() -> GuidanceInterval.of(grid, 0.8, 0.5)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("guidance start 0.8 lies behind guidance stop 0.5");
    }
}
