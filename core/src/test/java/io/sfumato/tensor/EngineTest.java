package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class EngineTest {
    @Test
    void usesNoMoreThreadsThanTheJvmMay() {
        assertThat(Engine.physicalCores()).isBetween(1, Runtime.getRuntime().availableProcessors());
        int before = Engine.threads();
        Engine.setThreads(1);
        assertThat(Engine.threads()).isEqualTo(1);
        Engine.setThreads(before);
        assertThatIllegalArgumentException().isThrownBy(() -> Engine.setThreads(0)).withMessage("threads must be at least 1, not 0");
    }

    @Test
    void namesItselfAndItsDevices() {
        assertThat(Engine.version()).startsWith("2.");
        assertThat(Engine.cpuCapability()).isNotBlank();
        assertThat(Device.of("CPU")).isEqualTo(Device.CPU);
        assertThatIllegalArgumentException().isThrownBy(() -> Device.of("tpu")).withMessage("unknown device 'tpu': use cpu, cuda or mps");
    }

    @Test
    void aSmallHeapIsEnoughForAGigabyteOfTensors() throws IOException, InterruptedException {
        assertThat(runJvm(GigabyteOfTensors.class)).isEqualTo("268435456");
    }

    /** Its natives are not in the class path here; looking for them is what takes long. */
    @Test
    void doesNotLookForCudaWhereItsBuildIsNot() {
        Engine.load();
        assertThat(System.getProperty("org.bytedeco.javacpp.platform.extension")).isEmpty();
    }

    // What a program of that class prints, errors included, in its own JVM with a heap of 256 MB and no other flag.
    private static String runJvm(Class<?> main) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-cp", System.getProperty("java.class.path"), main.getName()).redirectErrorStream(true).start();
        var output = new ByteArrayOutputStream();
        process.getInputStream().transferTo(output);
        String text = output.toString(StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(text).isZero();
        // From Java 24 on the JVM itself warns of native access without the flag that allows it.
        return (Runtime.version().feature() < 24 ? text : text.replaceAll("(?m)^WARNING:.*\\R", "")).strip();
    }
}
