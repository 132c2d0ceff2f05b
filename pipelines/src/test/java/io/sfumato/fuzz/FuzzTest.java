package io.sfumato.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link Fuzzing} in a child process with a small heap; {@code -Dsfumato.fuzz=N} for another number of files a reader. */
class FuzzTest {
    @TempDir
    Path folder;

    @Test
    void everySpoiltFileIsReadOrRefusedInOneLine() throws IOException, InterruptedException {
        int count = Integer.getInteger("sfumato.fuzz", 2000);
        Path out = folder.resolve("out.txt"), crash = folder.resolve("hs_err.log");
        Path files = Files.createDirectory(folder.resolve("files"));
        List<String> line = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m", "-Xss512k",
                "-XX:TieredStopAtLevel=1", "-XX:ErrorFile=" + crash, "-Djava.awt.headless=true", "-Dsfumato.threads=1",
                "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), Fuzzing.class.getName(),
                files.toString(), String.valueOf(count));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(new File(out.toString())).start();
        int code = process.waitFor();
        String said = Files.readString(out);
        System.out.print(said);
        assertThat(crash).as(said).doesNotExist();
        assertThat(code).as(said).isZero();
        assertThat(said.lines()).hasSize(Readers.all().size())
                .allMatch(row -> row.matches(".+: \\d+ of " + count + " read, the others refused"));
        try (Stream<Path> left = Files.list(files)) {
            assertThat(left).isEmpty();
        }
    }
}
