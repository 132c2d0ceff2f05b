package io.sfumato.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CutTensorsTest {
    @TempDir
    Path temp;

    private static CutTensors.Cut cut(String name) {
        return CutTensors.Cut.valueOf(name.toUpperCase(Locale.ROOT));
    }

    @Test
    void eachHasItsShare() {
        Path file = temp.resolve("x.safetensors");
        try (var scope = new Scope()) {
            Tensor x = Tensor.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7}, 4, 2);
            SafeTensors.write(file, Map.of("rows", x, "columns", x, "whole", x, "first", x), Map.of());
            for (int i = 0; i < 2; i++) {
                try (var share = new CutTensors(SafeTensors.open(file), CutTensorsTest::cut, i, 2);
                        Weights weights = Weights.load(share, DType.F32, Device.CPU)) {
                    float[] rows = {4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3}, columns = {i, 2 + i, 4 + i, 6 + i};
                    assertThat(weights.get("rows", 2, 2).toFloats()).containsExactly(rows);
                    assertThat(weights.get("columns", 4, 1).toFloats()).containsExactly(columns);
                    assertThat(weights.get("whole", 4, 2).toFloats()).containsExactly(x.toFloats());
                    assertThat(weights.get("first", 4, 2).equal(i == 0 ? x : Tensor.zeros(4, 2))).isTrue();
                }
            }
        }
        try (var share = new CutTensors(SafeTensors.open(file), name -> CutTensors.Cut.ROWS, 0, 3)) {
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> share.shape("whole"))
                    .withMessage(file + ": tensor 'whole' has no rows that could be dealt out to 3");
        }
    }
}
