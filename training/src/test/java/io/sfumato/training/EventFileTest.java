package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Golden;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
    @TempDir
    Path temp;

    @Test
    void hasTheBytesThatTensorBoardsOwnWriterGives() {
        try (EventFile file = new EventFile(temp, 300, Clock.fixed(Instant.ofEpochMilli(1_700_000_000_250L), ZoneOffset.UTC))) {
            file.add(300, of("loss", 0.125, "rate", 0));
            file.add(301, of("loss", Double.NaN, "gradient", -1e-3));
        }
        assertThat(temp.resolve("events.out.tfevents.1700000000250.sfumato")).hasSameBinaryContentAs(Golden.file("events/events.out"));
    }

    private static Map<String, Double> of(String first, double one, String second, double two) {
        Map<String, Double> map = new LinkedHashMap<>();
        map.put(first, one);
        map.put(second, two);
        return map;
    }
}
