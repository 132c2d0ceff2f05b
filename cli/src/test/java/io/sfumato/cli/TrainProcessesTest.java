package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training that several processes share, by the command. */
class TrainProcessesTest {
    private static final String LOOP = "loop: {steps: 4, batch: 4, rate: 0.001, warmup: 1, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 2}";
    private static final String RECIPE = """
            name: tiny
            seed: 1
            data:
              kind: scenes
              scenes: {clipart: "", size: 16, pairs: 0.3, coloured: 0.5, namedBackgrounds: 0.2, nouns: [apple, duck]}
            autoencoder: {widths: [4, 8], layers: 1, groups: 4, latentChannels: 4, kl: 0.001, keeps: true, LOOP}
            text: {kind: clip, tokenizer: {tokens: 540, length: 12, captions: 50}, width: 8, hidden: 16, layers: 1, heads: 2}
            unet: {widths: [8, 16], layers: 1, attends: [false, true], heads: [2, 2], groups: 4}
            diffusion: {prediction: epsilon, zeroTerminalSnr: false, captionDropout: 0.1, minSnr: 0, scenes: 64, LOOP}
            upscaler: []
            prompts: [a duck]
            """.replace("LOOP", LOOP);

    @TempDir
    private Path folder;

    private Path recipe(String text) throws IOException {
        return Files.writeString(folder.resolve("tiny.yaml"), text);
    }

    /**
     * Trained by one process in the same shares, one after the other: in others sums are rounded otherwise, and where a gradient is next to
     * nothing AdamW makes a whole step of that.
     */
    private void trainAlone(String text, Path run) throws IOException {
        Path recipe = Files.writeString(folder.resolve("alone.yaml"), text.replace("batch: 4", "batch: 4, accumulate: 2"));
        assertThat(Ran.command("train", recipe, "--run", run, "--quiet").code()).isZero();
    }

    private static double[] losses(Path run, String stage) throws IOException {
        return Files.readAllLines(run.resolve(stage + ".csv")).stream().skip(1).mapToDouble(line -> Double.parseDouble(line.split(",")[1]))
                .toArray();
    }

    private static void assertSameLosses(Path run, Path one, int steps) throws IOException {
        for (String stage : List.of("autoencoder", "diffusion")) {
            assertThat(losses(run, stage)).as(stage).hasSize(steps).containsExactly(losses(one, stage), within(1e-5));
        }
    }

    @Test
    void twoHaveTheLossesOfOne() throws IOException, InterruptedException {
        Path recipe = recipe(RECIPE), one = folder.resolve("one"), two = folder.resolve("two"), more = folder.resolve("more");
        trainAlone(RECIPE, one);
        assertThat(Ran.command("train", recipe, "--run", two, "--processes", 2)).isEqualTo(new Ran(0, two.resolve("model")
                + System.lineSeparator(), "training in " + two + System.lineSeparator()));
        assertSameLosses(two, one, 4);
        assertThat(Ran.command("train", recipe, "--run", more, "--processes", 2, "--start", two.resolve("model"), "--quiet"))
                .isEqualTo(new Ran(0, more.resolve("model") + System.lineSeparator(), ""));
        assertThat(losses(more, "diffusion")).hasSize(4);
        assertThat(more.resolve("autoencoder.csv")).doesNotExist();

        Path launched = folder.resolve("launched");
        launch(recipe, launched);
        assertSameLosses(launched, one, 4);
    }

    /** Two processes with torchrun's variables. */
    private void launch(Path recipe, Path run) throws IOException, InterruptedException {
        String port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = String.valueOf(socket.getLocalPort());
        }
        List<Process> all = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            ProcessBuilder builder = new ProcessBuilder(Ran.java("train", recipe, "--run", run));
            builder.environment().putAll(Map.of("RANK", String.valueOf(rank), "WORLD_SIZE", "2", "MASTER_PORT", port));
            all.add(builder.redirectOutput(folder.resolve("out" + rank).toFile()).redirectError(folder.resolve("err" + rank).toFile())
                    .start());
        }
        for (Process process : all) {
            assertThat(process.waitFor()).isZero();
        }
        assertThat(folder.resolve("out0")).hasContent(run.resolve("model") + "\n");
        assertThat(folder.resolve("out1")).isEmptyFile();
        assertThat(folder.resolve("err0")).hasContent("training in " + run + "\n");
        assertThat(folder.resolve("err1")).isEmptyFile();
    }

    /** Starts the command in a process of its own, that a shell which ignores Ctrl-C in the background does not keep from hearing it. */
    private Process start(Path recipe, Path run, Path err) throws IOException {
        List<String> line = new ArrayList<>(List.of("env", "--default-signal=INT"));
        line.addAll(Ran.java("train", recipe, "--run", run, "--processes", 2, "--quiet"));
        line.add(line.indexOf("-cp"), "-Dsfumato.threads=1");
        return new ProcessBuilder(line).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(err.toFile()).start();
    }

    private static ProcessHandle child(Process process) throws InterruptedException {
        while (process.isAlive()) {
            try (Stream<ProcessHandle> children = process.children()) {
                // For a moment it is a copy of its parent, then what starts programs.
                Optional<ProcessHandle> java = children.filter(child -> child.info().command().orElse("").endsWith("java")
                        && !Arrays.equals(child.info().arguments().orElse(null), process.info().arguments().orElse(null))).findFirst();
                if (java.isPresent()) {
                    return java.get();
                }
            }
            Thread.sleep(20);
        }
        throw new AssertionError("it has started no other process");
    }

    private static void waitFor(Path file, Process process) throws InterruptedException {
        while (process.isAlive() && !Files.exists(file)) {
            Thread.sleep(20);
        }
    }

    @Test
    void oneThatDiesEndsTheRunWhichThenGoesOn() throws IOException, InterruptedException {
        Path recipe = recipe(RECIPE.replace("steps: 4", "steps: 40")), one = folder.resolve("one"), two = folder.resolve("two");
        Path err = folder.resolve("err.txt");
        Process early = start(recipe, two, err);
        child(early).destroyForcibly();
        assertThat(early.waitFor()).isEqualTo(Main.FAILED);
        String line = "sfumato: the process with rank 1 has ended with exit code 137; the same command goes on from the last checkpoint\n";
        assertThat(err).hasContent(line);

        Process process = start(recipe, two, err);
        waitFor(two.resolve("diffusion.csv"), process);
        child(process).destroyForcibly();
        assertThat(process.waitFor()).isEqualTo(Main.FAILED);
        assertThat(err).hasContent(line);
        assertThat(losses(two, "diffusion").length).isLessThan(40);

        Process again = start(recipe, two, err);
        assertThat(again.waitFor()).isZero();
        assertThat(err).isEmptyFile();
        trainAlone(Files.readString(recipe), one);
        assertSameLosses(two, one, 40);
    }

    @Test
    void controlCStopsAll() throws IOException, InterruptedException {
        Path run = folder.resolve("run"), err = folder.resolve("err.txt");
        Process process = start(recipe(RECIPE.replace("steps: 4", "steps: 100000")), run, err);
        waitFor(run.resolve("autoencoder.csv"), process);
        ProcessHandle child = child(process);
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
        assertThat(process.waitFor()).isEqualTo(Main.INTERRUPTED);
        assertThat(child.isAlive()).isFalse();
    }

    private static String others(String recipe, Path run) {
        return Ran.command("train", Path.of("../recipes", recipe), "--run", run, "--processes", 7).err().strip();
    }

    @Test
    void saysWhatIsWrong() throws IOException, InterruptedException {
        Path recipe = recipe(RECIPE), run = folder.resolve("run");
        assertThat(Ran.command("train", recipe, "--processes", 0))
                .isEqualTo(new Ran(Main.MISUSED, "", "sfumato: processes must be at least 1, not 0" + System.lineSeparator()));
        assertThat(Ran.command("train", recipe, "--run", run, "--processes", 3)).isEqualTo(new Ran(Main.FAILED, "",
                "sfumato: autoencoder.loop.batch is 4, where a multiple of 3 (for 3 processes) is wanted" + System.lineSeparator()));
        Path parts = recipe(RECIPE.replace("scenes: 64, loop: {", "scenes: 64, loop: {accumulate: 3, "));
        assertThat(Ran.command("train", parts, "--run", run, "--processes", 2).err()).isEqualTo("sfumato: diffusion.loop.batch is 4, where "
                + "a multiple of 2 (for 2 processes that accumulate 3 parts each) is wanted" + System.lineSeparator());
        assertThat(others("clip/clipart.yaml", run)).isEqualTo("sfumato: CLIP is to be trained by 7 processes, and its loss compares each "
                + "text with all pictures of a batch: one process is wanted");
        Map.of("parti.yaml", "vq/model.safetensors", "dalle/clipart.yaml", "dvae/decoder.safetensors").forEach((recipeFile, last) ->
                assertThat(others(recipeFile, run)).isEqualTo("sfumato: the tokenizer of pictures learns from whole batches: one process "
                        + "is wanted until " + run.resolve("model").resolve(last) + " is there, then 7 can go on with the Transformer"));
        String uneven = "where a multiple of 7 (for 7 processes) is wanted";
        assertThat(others("imagen/clipart-cascade.yaml", run)).isEqualTo("sfumato: base.loop.batch is 16, " + uneven);
        assertThat(others("dalle2/clipart.yaml", run)).isEqualTo("sfumato: prior.loop.batch is 64, " + uneven);
        List<String> line = new ArrayList<>(List.of("env", "WORLD_SIZE=2"));
        line.addAll(Ran.java("train", recipe, "--run", run, "--processes", 2));
        assertThat(Ran.process(folder, line)).isEqualTo(new Ran(Main.FAILED, "", "sfumato: --processes starts processes, and WORLD_SIZE in "
                + "the environment says that another program has done so: one or the other is wanted\n"));
        assertThat(run).doesNotExist();
    }
}
