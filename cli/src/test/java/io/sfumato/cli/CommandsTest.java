package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandsTest {
    private static final List<String> COMMANDS = List.of("generate", "inspect", "models", "train", "data", "doctor", "completion");

    @TempDir
    private Path folder;

    @Test
    void versionAndHelpAreShort() {
        assertThat(Ran.command("--version").out()).matches("sfumato \\d+\\.\\d+\\.\\d+\\S*\\R");
        assertThat(Ran.command("--help").out()).contains(COMMANDS).contains("Example:");
        for (String command : COMMANDS) {
            Ran ran = Ran.command(command, "--help");
            assertThat(ran.code()).isZero();
            // Half a hundred options do not fit where those of the others do: at most two lines each.
            long options = ran.out().lines().filter(line -> line.matches("\\s+(-\\w, )?--\\w.*")).count();
            assertThat(ran.out().lines().count()).as(ran.out()).isLessThan(command.equals("generate") ? 10 + 2 * options : 45);
        }
    }

    @Test
    void doctorLooksAtEverything() {
        Ran ran = Ran.command("doctor");
        assertThat(ran.out().lines().map(line -> line.split("\\s+")[1])).containsExactly(
                "sfumato", "java", "platform", "engine", "cpu", "memory", "cuda", "models", "cache");
        assertThat(ran.out()).contains("libtorch 2.").contains("GiB available");
        assertThat(ran.out().lines()).allMatch(line -> line.startsWith("ok ") || line.startsWith("problem "));
        assertThat(ran.code()).isEqualTo(ran.out().contains("problem ") ? 1 : 0);
    }

    @Test
    void doctorFailsWhereTheCacheCannotBeWritten() throws IOException, InterruptedException {
        Path file = Files.writeString(folder.resolve("file"), "");
        List<String> line = new ArrayList<>(List.of("env", "SFUMATO_CACHE=" + file));
        line.addAll(Ran.java("doctor"));
        Ran ran = Ran.process(folder, line);
        assertThat(ran.out()).contains("problem  cache     " + file + ": cannot be written; set SFUMATO_CACHE to a folder that can");
        assertThat(ran.code()).isEqualTo(Main.FAILED);
    }

    @Test
    void listsModels() {
        assertThat(Ran.command("models", "list").code()).isZero();
    }

    @Test
    void completionIsAScriptOfBash() throws IOException, InterruptedException {
        Ran ran = Ran.command("completion");
        assertThat(ran.out()).contains(COMMANDS).contains("--guidance-rescale");
        Path script = Files.writeString(folder.resolve("completion.sh"), ran.out());
        assertThat(Ran.process(folder, List.of("bash", "-n", script.toString()))).isEqualTo(new Ran(0, "", ""));
    }

    @Test
    void trainsAModelThatDrawsAndGoesOn() throws IOException {
        Path recipe = Files.writeString(folder.resolve("tiny.yaml"), """
                name: tiny
                seed: 1
                data:
                  kind: scenes
                  scenes: {clipart: "", size: 32, pairs: 0.3, coloured: 0.5, namedBackgrounds: 0.2, nouns: []}
                autoencoder:
                  {widths: [8, 16], layers: 1, groups: 4, latentChannels: 4, kl: 0.001, keeps: true,
                   loop: {steps: 2, batch: 2, rate: 0.001, warmup: 1, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 1}}
                text: {kind: clip, tokenizer: {tokens: 600, length: 16, captions: 50}, width: 16, hidden: 32, layers: 1, heads: 2}
                unet: {widths: [8, 16], layers: 1, attends: [false, true], heads: [2, 2], groups: 4}
                diffusion:
                  {prediction: epsilon, zeroTerminalSnr: false, captionDropout: 0.1, minSnr: 0, scenes: 4,
                   loop: {steps: 2, batch: 2, rate: 0.001, warmup: 1, decay: 0.01, clip: 1.0, ema: 0.9, saveEvery: 1}}
                upscaler: []
                prompts: [a duck]
                """);
        Path run = folder.resolve("run");
        Ran trained = Ran.command("train", recipe, "--run", run);
        assertThat(trained).isEqualTo(new Ran(0, run.resolve("model") + System.lineSeparator(),
                "training in " + run + System.lineSeparator()));
        assertThat(Ran.command("train", recipe, "--run", run).err()).isEqualTo("going on in " + run + System.lineSeparator());
        Path picture = folder.resolve("duck.png");
        assertThat(Ran.command("generate", "a duck", "--model", run.resolve("model"), "--steps", 2, "--output", picture).code()).isZero();
        assertThat(picture).exists();

        Path more = folder.resolve("more");
        assertThat(Ran.command("train", recipe, "--run", more, "--start", run.resolve("model")).code()).isZero();
        assertThat(more.resolve("model/vae/diffusion_pytorch_model.safetensors"))
                .hasSameBinaryContentAs(run.resolve("model/vae/diffusion_pytorch_model.safetensors"));
        assertThat(more.resolve("autoencoder.csv")).doesNotExist();
        assertThat(Ran.command("train", recipe, "--run", more, "--start", run.resolve("model")).err())
                .isEqualTo("sfumato: " + more + " is a run that has begun: --start is for a new one, see --run" + System.lineSeparator());
        Path wider = Files.writeString(folder.resolve("wider.yaml"), Files.readString(recipe).replace("width: 16", "width: 32"));
        assertThat(Ran.command("train", wider, "--run", folder.resolve("wider"), "--start", run.resolve("model")).err())
                .contains("sfumato: " + run.resolve("model/unet/config.json") + ": cross_attention_dim is 16, where the recipe has 32");
        assertThat(folder.resolve("wider")).doesNotExist();
        Path own = folder.resolve("own");
        assertThat(Ran.command("train", wider, "--run", own, "--autoencoder", run.resolve("model"), "--quiet").code()).isZero();
        assertThat(own.resolve("model/vae/diffusion_pytorch_model.safetensors"))
                .hasSameBinaryContentAs(run.resolve("model/vae/diffusion_pytorch_model.safetensors"));
        assertThat(own.resolve("autoencoder.csv")).doesNotExist();
        assertThat(Ran.command("train", wider, "--run", own, "--autoencoder", run.resolve("model")).err())
                .startsWith("sfumato: " + own + " is a run that has begun: --autoencoder is for a new one, see --run");
        assertThat(Ran.command("train", recipe, "--start", "x", "--autoencoder", "x").err()).startsWith(
                "sfumato: --start begins with a whole model, --autoencoder with that part of one: one of the two is wanted");
    }

    @Test
    void trainSaysWhatIsWrongWithARecipe() throws IOException {
        Path none = folder.resolve("none.yaml");
        assertThat(Ran.command("train", none, "--quiet"))
                .isEqualTo(new Ran(Main.FAILED, "", "sfumato: " + none + ": there is no such recipe" + System.lineSeparator()));
        Path wrong = Files.writeString(folder.resolve("wrong.yaml"), "nam: x\n");
        assertThat(Ran.command("train", wrong).err()).startsWith("sfumato: " + wrong + ": the key 'name' is missing").hasLineCount(1);
    }
}
