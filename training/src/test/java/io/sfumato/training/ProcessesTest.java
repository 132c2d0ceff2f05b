package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training by two processes: this one and another. */
class ProcessesTest {
    private static final String RECIPE = RecipeTest.TINY.replace("steps: 10", "steps: 6").replace("batch: 4", "batch: 5");

    @TempDir
    Path temp;

    /** The other process: trains a recipe in a run folder, with the rank that its environment tells. */
    static final class Other {
        private Other() {
        }

        public static void main(String[] arguments) {
            try (ProcessGroup group = ProcessGroup.of(System.getenv())) {
                train(Path.of(arguments[0]), Path.of(arguments[1]), group);
            }
        }
    }

    private static void train(Path recipe, Path run, ProcessGroup group) {
        new Trainer(Recipe.read(recipe), run, (stage, done, total, loss) -> { }, group).train(saved -> { });
    }

    @Test
    void twoHaveTheLossesAndTheWeightsOfOne() throws IOException, InterruptedException {
        Path recipe = Files.writeString(temp.resolve("recipe.yaml"), RECIPE), one = temp.resolve("one"), two = temp.resolve("two");
        // In the same shares one after the other: in others sums are rounded otherwise, and where a gradient is next to nothing AdamW makes
        // a whole step of that.
        Path alone = Files.writeString(temp.resolve("alone.yaml"), RECIPE.replace("batch: 5", "batch: 5, accumulate: 2"));
        train(alone, one, ProcessGroup.alone());
        String port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = String.valueOf(socket.getLocalPort());
        }
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-Djava.awt.headless=true", "-Dsfumato.threads=1", "-cp", System.getProperty("java.class.path"), Other.class.getName(),
                recipe.toString(), two.toString());
        builder.environment().putAll(Map.of("RANK", "1", "WORLD_SIZE", "2", "MASTER_PORT", port));
        Process other = builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (ProcessGroup group = ProcessGroup.join(0, 2, "localhost:" + port)) {
            train(recipe, two, group);
        } finally {
            assertThat(other.waitFor()).isZero();
        }
        for (String stage : new String[] {"autoencoder", "diffusion"}) {
            assertThat(losses(two, stage)).as(stage).hasSize(6).containsExactly(losses(one, stage), within(1e-5));
        }
        try (SafeTensors a = SafeTensors.open(one.resolve("diffusion.safetensors"));
                SafeTensors b = SafeTensors.open(two.resolve("diffusion.safetensors")); Scope scope = new Scope()) {
            assertThat(b.names()).isEqualTo(a.names());
            for (String name : a.names()) {
                assertThat(b.get(name).sub(a.get(name)).abs().amax(false).item()).as(name).isLessThan(1e-4);
            }
        }
        assertThat(two.resolve("samples-6.png")).exists();
        assertThat(StepLog.read(two)).hasSize(12);
    }

    private static double[] losses(Path run, String stage) throws IOException {
        return Files.readAllLines(run.resolve(stage + ".csv")).stream().skip(1).mapToDouble(line -> Double.parseDouble(line.split(",")[1]))
                .toArray();
    }
}
