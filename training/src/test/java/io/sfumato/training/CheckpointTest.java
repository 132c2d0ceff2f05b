package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.io.CheckpointException;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir
    Path folder;

    private final Scope scope = new Scope();
    private final Rng rng = new Rng(1);

    @AfterEach
    void close() {
        rng.close();
        scope.close();
    }

    @Test
    void whatIsSavedComesBackBitForBit() {
        Checkpoint checkpoint = new Checkpoint(folder.resolve("state.safetensors"));
        Tensor weight = rng.randn(3, 4, 2, 2).channelsLast().requiresGrad_(true), moment = rng.randn(5);
        checkpoint.save(7, Map.of("weights", Map.of("a.weight", weight), "m", Map.of("a.weight", moment)));
        Tensor otherWeight = Tensor.zeros(3, 4, 2, 2).channelsLast().requiresGrad_(true), otherMoment = Tensor.zeros(5);
        var state = Map.of("weights", Map.of("a.weight", otherWeight), "m", Map.of("a.weight", otherMoment));
        assertThat(checkpoint.restore(state)).isEqualTo(checkpoint.steps()).isEqualTo(7);
        assertThat(otherWeight.toFloats()).isEqualTo(weight.toFloats());
        assertThat(otherMoment.toFloats()).isEqualTo(moment.toFloats());
    }

    @Test
    void nothingSavedIsStepZero() {
        Checkpoint checkpoint = new Checkpoint(folder.resolve("none.safetensors"));
        Tensor x = Tensor.ones(2);
        assertThat(checkpoint.restore(Map.of("m", Map.of("x", x)))).isEqualTo(checkpoint.steps()).isZero();
        assertThat(x.toFloats()).containsOnly(1);
    }

    @Test
    void aStateOfAnotherNetworkIsNamed() {
        Checkpoint checkpoint = new Checkpoint(folder.resolve("state.safetensors"));
        checkpoint.save(1, Map.of("m", Map.of("x", Tensor.ones(2))));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> checkpoint.restore(Map.of("m", Map.of("y", Tensor.ones(2))))).withMessageContaining("m/y");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> checkpoint.restore(Map.of("m", Map.of("x", Tensor.ones(3)))))
                .withMessage(folder.resolve("state.safetensors") + ": m/x is [2], where the recipe has [3]: the recipe has changed since");
    }
}
