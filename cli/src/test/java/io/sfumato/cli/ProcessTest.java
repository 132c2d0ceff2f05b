package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command in a process of its own. */
class ProcessTest {
    @TempDir
    private Path folder;

    @Test
    void theDefaultNameReplacesNothing() throws IOException, InterruptedException {
        Files.writeString(folder.resolve("sfumato-7.png"), "mine");
        Ran ran = Ran.process(folder, Ran.java("generate", "a red apple", "--model", Ran.MODEL, "--steps", 2, "--seed", 7));
        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(ran.out().strip()).isEqualTo("sfumato-7_2.png");
        // No terminal, so no progress: a last line and nothing else.
        assertThat(ran.err()).matches("1 picture of 32x32 in \\d+\\.\\d s, seed 7\\R");
        assertThat(Files.readString(folder.resolve("sfumato-7.png"))).isEqualTo("mine");
        assertThat(Image.read(folder.resolve("sfumato-7_2.png")).width()).isEqualTo(32);
    }

    @Test
    void aFileThatCannotBeFinishedIsNotBegun() throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of("bash", "-c", "ulimit -f 2; exec \"$@\"", "bash"));
        line.addAll(Ran.java("generate", "a", "--model", Ran.MODEL, "--steps", 1, "--width", 64, "--height", 64, "--output", "a.png"));
        Ran ran = Ran.process(folder, line);
        assertThat(ran.err()).startsWith("sfumato: a.png: cannot write: ").hasLineCount(1);
        assertThat(ran.code()).isEqualTo(Main.FAILED);
        assertThat(Ran.names(folder)).isEmpty();
    }

    @Test
    void controlCLeavesNoFile() throws IOException, InterruptedException {
        // A shell that starts tests in the background has them ignore the signal, and their children too.
        List<String> line = new ArrayList<>(List.of("env", "--default-signal=INT"));
        line.addAll(Ran.java("generate", "a", "--model", Ran.MODEL, "--steps", 500, "--width", 64, "--height", 64, "--count", 2,
                "--output", "a.png", "--trace", "t.safetensors", "--preview", "now.png", "--preview-every", 1));
        Process process = new ProcessBuilder(line).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        while (process.isAlive() && !Files.exists(folder.resolve("now.png"))) {
            Thread.sleep(50);
        }
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
        assertThat(process.waitFor()).isEqualTo(Main.INTERRUPTED);
        assertThat(Ran.names(folder)).containsExactly("now.png");
    }
}
