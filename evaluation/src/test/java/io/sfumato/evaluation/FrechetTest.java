package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.io.JsonFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Against pytorch-fid 0.3.0; {@code make.py} beside the numbers says how they were made. */
class FrechetTest {
    private static final JsonNode GOLDEN = JsonFile.read(Path.of("src/test/resources/golden/frechet/golden.json"));
    private static final List<double[]> A = rows("a");
    private static final List<double[]> B = rows("b");

    private static List<double[]> rows(String key) {
        List<double[]> rows = new ArrayList<>();
        for (JsonNode row : GOLDEN.get(key)) {
            double[] values = new double[row.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = row.get(i).doubleValue();
            }
            rows.add(values);
        }
        return rows;
    }

    @Test
    void equalsTheReference() {
        assertThat(Frechet.distance(A, B)).isCloseTo(GOLDEN.get("fid").doubleValue(), within(1e-8));
        assertThat(Frechet.distance(B, A)).isCloseTo(GOLDEN.get("fid").doubleValue(), within(1e-8));
    }

    @Test
    void equalsTheReferenceWhereThereAreFewerRowsThanFeatures() {
        int few = GOLDEN.get("few").intValue();
        assertThat(Frechet.distance(A.subList(0, few), B.subList(0, few))).isCloseTo(GOLDEN.get("fid_few").doubleValue(), within(1e-4));
    }

    @Test
    void isNothingToItself() {
        assertThat(Frechet.distance(A, A)).isCloseTo(0, within(1e-9));
    }

    @Test
    void wantsTwoRowsOfOneWidth() {
        assertThatThrownBy(() -> Frechet.distance(A.subList(0, 1), B))
                .hasMessage("a Frechet distance of 1 and 50 rows of features: at least 2 each, of one width, are wanted");
    }
}
