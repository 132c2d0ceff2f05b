package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training whose process is killed (SIGKILL) again and again, and started again. */
class KilledRunTest {
    private static final int INTERVAL = 5;
    private static final int KILLS = 5;
    private static final String RECIPE = RecipeTest.TINY.replace("steps: 10", "steps: 25")
            .replace("saveEvery: 4", "saveEvery: " + INTERVAL).replace("upscaler: []", """
                    upscaler:
                      - {scale: 2, width: 8, blocks: 1, noise: 0.3, loop: {steps: 10, batch: 4, rate: 0.001, warmup: 2, decay: 0.0,
                          clip: 1.0, ema: 0.9, saveEvery: 5}}""");

    @TempDir
    Path temp;

    /** Trains a recipe in a run folder; each step is a line, written at once. */
    static final class Child {
        private Child() {
        }

        public static void main(String[] arguments) {
            var out = new FileOutputStream(FileDescriptor.out);
            new Trainer(Recipe.read(Path.of(arguments[0])), Path.of(arguments[1]), (stage, done, total, loss) -> {
                try {
                    out.write((stage + " " + done + "\n").getBytes(StandardCharsets.UTF_8));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }).train(saved -> { });
        }
    }

    private Process child(Path recipe, Path run) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m", "-XX:TieredStopAtLevel=1",
                "-Djava.awt.headless=true", "-Dsfumato.threads=1", "-cp", System.getProperty("java.class.path"), Child.class.getName(),
                recipe.toString(), run.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    @Test
    void endsWithTheSameBitsAndLosesAtMostOneInterval() throws Exception {
        Path recipe = Files.writeString(temp.resolve("recipe.yaml"), RECIPE);
        Path broken = temp.resolve("broken"), whole = temp.resolve("whole");
        new Trainer(Recipe.read(recipe), whole, (stage, done, total, loss) -> { }).train(saved -> { });
        Random random = new Random(5);
        Map<String, Integer> reached = new HashMap<>();
        for (int kills = 0; kills <= KILLS; kills++) {
            Process process = child(recipe, broken);
            int lines = kills < KILLS ? 1 + random.nextInt(14) : Integer.MAX_VALUE;
            try (BufferedReader in = process.inputReader()) {
                List<String> first = Stream.generate(() -> line(in)).limit(lines).takeWhile(line -> !line.isEmpty()).toList();
                if (kills < KILLS) {
                    Thread.sleep(random.nextInt(40));
                    // Unlike Process.destroyForcibly, this leaves what it wrote readable.
                    process.toHandle().destroyForcibly();
                }
                goesOn(reached, Stream.concat(first.stream(), in.lines()).toList());
            }
            assertThat(process.waitFor() == 0).as("ended by itself").isEqualTo(kills == KILLS);
        }
        assertThat(reached).containsOnly(Map.entry("autoencoder", 25), Map.entry("latents", 64), Map.entry("diffusion", 25),
                Map.entry("upscaler", 10));
        for (String file : List.of("autoencoder.safetensors", "diffusion.safetensors", "upscaler.safetensors", "latents.safetensors",
                "captions.txt", "autoencoder.csv", "diffusion.csv", "upscaler.csv", "diffusion.png")) {
            assertThat(broken.resolve(file)).as(file).hasSameBinaryContentAs(whole.resolve(file));
        }
        try (Stream<Path> files = Files.walk(broken)) {
            assertThat(files).noneMatch(file -> file.toString().endsWith(".part"));
        }
        try (Stream<Path> files = Files.walk(whole.resolve("model")).filter(Files::isRegularFile)) {
            assertThat(files.toList()).hasSizeGreaterThan(10).allSatisfy(file ->
                    assertThat(broken.resolve(whole.relativize(file))).hasSameBinaryContentAs(file));
        }
    }

    private static String line(BufferedReader in) {
        try {
            String line = in.readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first step of each stage is at most an interval before the last that a process had done; the next ones follow one by one. */
    private static void goesOn(Map<String, Integer> reached, List<String> lines) {
        Map<String, Integer> before = new HashMap<>();
        for (String line : lines) {
            String stage = line.split(" ")[0];
            int done = Integer.parseInt(line.split(" ")[1]);
            if (!stage.equals("latents")) {
                assertThat(done).as(line + " after " + reached).isGreaterThan(reached.getOrDefault(stage, 0) - INTERVAL)
                        .isEqualTo(before.getOrDefault(stage, done - 1) + 1);
                before.put(stage, done);
            }
        }
        for (String line : lines) {
            reached.merge(line.split(" ")[0], Integer.parseInt(line.split(" ")[1]), Math::max);
        }
    }
}
