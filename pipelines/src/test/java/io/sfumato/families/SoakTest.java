package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SoakTest {
    @Test
    void memoryIsAsLargeAfterTwoHundredPicturesAsAfterFifty() throws IOException, InterruptedException {
        // A heap that is there from the beginning: what grows then is not Java's.
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xms96m", "-Xmx96m",
                "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dsfumato.threads=1",
                "-cp", System.getProperty("java.class.path"), TwoHundredPictures.class.getName(),
                Path.of("src/test/resources/golden/sd1/model").toString()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(text).isZero();
        long[] anonymous = text.lines().mapToLong(Long::parseLong).toArray();
        assertThat(anonymous[1]).as(text).isLessThan(anonymous[0] * 102 / 100);
    }
}
