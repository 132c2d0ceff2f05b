package io.sfumato.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The scripts that compare engines: {@code bench/test_bench.py}, which needs nothing but Python 3. */
class BenchTest {
    @Test
    void scripts() throws IOException, InterruptedException {
        Process python = new ProcessBuilder("python3", "-B", "test_bench.py").redirectErrorStream(true).start();
        String out = new String(python.getInputStream().readAllBytes());
        assertThat(python.waitFor()).as(out).isZero();
        assertThat(out).containsPattern("Ran [1-9]\\d* tests").endsWith("OK\n");
    }
}
