package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.image.Image;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command with a model that writes tokens: the tiny minDALL-E of the pipelines' tests. */
class GenerateTokensTest {
    private static final Path MODEL = Path.of("../pipelines/src/test/resources/golden/kakao").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    private long[] tokens(String name, Object... more) throws IOException {
        Path trace = folder.resolve(name + ".safetensors"), picture = folder.resolve(name + ".png");
        List<Object> args = new ArrayList<>(List.of("generate", "a cat", "--model", MODEL, "--seed", 7, "--trace", trace,
                "--output", picture, "--quiet"));
        args.addAll(List.of(more));
        Ran ran = Ran.command(args.toArray());
        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(Image.read(picture).width()).isEqualTo(12);
        try (var scope = new Scope(); SafeTensors file = SafeTensors.open(trace)) {
            assertThat(file.names()).containsExactlyInAnyOrder("tokens", "logits", "image");
            assertThat(file.shape("logits")).containsExactly(1, 36, 40);
            return file.get("tokens").toLongs();
        }
    }

    @Test
    void drawsAndTracesTokens() throws IOException {
        long[] plain = tokens("plain");
        assertThat(tokens("again")).isEqualTo(plain);
        assertThat(tokens("cold", "--temperature", 0.1)).isNotEqualTo(plain);
        assertThat(tokens("few", "--top-k", 2)).isNotEqualTo(plain);
        assertThat(tokens("narrow", "--top-p", 0.2)).isNotEqualTo(plain);
        assertThat(tokens("greedy", "--top-k", 1)).isEqualTo(tokens("zero", "--temperature", 0));
    }

    @Test
    void wrongUseIsOneLine() {
        Ran ran = Ran.command("generate", "a cat", "--model", MODEL, "--top-p", 2);
        assertThat(ran.code()).isEqualTo(Main.MISUSED);
        assertThat(ran.err()).isEqualTo("sfumato: top-p must be above 0 and at most 1, not 2.0\n");
        ran = Ran.command("generate", "a cat", "--model", MODEL, "--sampler", "DDIM");
        assertThat(ran.code()).isEqualTo(Main.MISUSED);
        assertThat(ran.err()).startsWith("sfumato: this model picks tokens: ");
    }

    @Test
    void amusedDrawsWhereAMaskIsWhite() {
        Path amused = MODEL.resolveSibling("amused/model"), init = folder.resolve("init.png"), mask = folder.resolve("mask.png");
        Image.filled(16, 16, 0x3060a0).write(init);
        Image.grid(List.of(Image.filled(8, 16, 0), Image.filled(8, 16, 0xffffff)), 2).write(mask);
        List<Object> args = new ArrayList<>(List.of("generate", "a cat", "--model", amused, "--steps", 3, "--init", init, "--quiet",
                "--output", folder.resolve("out.png")));
        assertThat(Ran.command(args.toArray()).err()).isEmpty();
        args.addAll(List.of("--mask", mask, "--mask-blur", 1));
        assertThat(Ran.command(args.toArray()).err()).isEmpty();
        Image drawn = Image.read(folder.resolve("out.png"));
        assertThat(drawn.crop(0, 0, 5, 16)).isEqualTo(Image.filled(5, 16, 0x3060a0));
        assertThat(drawn.crop(8, 0, 8, 16)).isNotEqualTo(Image.filled(8, 16, 0x3060a0));
        args.addAll(List.of("--mask-fill", "latent-noise"));
        Ran ran = Ran.command(args.toArray());
        assertThat(ran.code()).isEqualTo(Main.MISUSED);
        assertThat(ran.err()).isEqualTo("sfumato: mask fill must be original: this model sees nothing of what lies under a mask\n");
    }

    @Test
    void theBestOfSomeCandidatesAreWritten() throws IOException {
        Path clip = Path.of("../models/src/test/resources/golden/clip/model_gelu").toAbsolutePath().normalize();
        List<Object> args = new ArrayList<>(List.of("generate", "a cat", "--model", MODEL, "--seed", 7, "--judge", clip, "--candidates", 5,
                "--output", folder.resolve("best.png"), "--quiet", "--json"));
        JsonNode one = new ObjectMapper().readTree(Ran.command(args.toArray()).out());
        args.addAll(List.of("--count", 5));
        JsonNode all = new ObjectMapper().readTree(Ran.command(args.toArray()).out());
        assertThat(one.get("scores")).hasSize(1);
        assertThat(one.get("scores").get(0)).isEqualTo(all.get("scores").get(0));
        List<Double> scores = new ArrayList<>();
        List<Long> seeds = new ArrayList<>();
        all.get("scores").forEach(score -> scores.add(score.doubleValue()));
        all.get("seeds").forEach(seed -> seeds.add(seed.longValue()));
        assertThat(scores).hasSize(5).isSortedAccordingTo(Comparator.reverseOrder());
        assertThat(seeds).containsExactlyInAnyOrder(7L, 8L, 9L, 10L, 11L);
        Path again = folder.resolve("again.png");
        Ran.command("generate", "a cat", "--model", MODEL, "--seed", one.get("seeds").get(0).asLong(), "--output", again, "--quiet");
        assertThat(Image.read(folder.resolve("best.png"))).isNotNull();
        assertThat(Image.read(again)).isEqualTo(Image.read(folder.resolve("best-1.png")));
        assertRefused("--candidates and --judge go together: a CLIP to judge by is wanted", "--candidates", 4);
        assertRefused("--candidates and --judge go together: the number of candidates is wanted", "--judge", clip);
        assertRefused("candidates must be at least the 4 pictures of --count, not 2", "--candidates", 2, "--judge", clip, "--count", 4);
        assertRefused("--candidates are of one prompt, in one pass and without a trace: neither --prompts nor --hires-scale nor --trace can"
                + " be given", "--candidates", 4, "--judge", clip, "--hires-scale", 2);
    }

    private static void assertRefused(String message, Object... more) {
        List<Object> args = new ArrayList<>(List.of("generate", "a cat", "--model", MODEL));
        args.addAll(List.of(more));
        Ran ran = Ran.command(args.toArray());
        assertThat(ran.code()).isEqualTo(Main.MISUSED);
        assertThat(ran.err()).isEqualTo("sfumato: " + message + "\n");
    }

    @Test
    void aDamagedFileIsNamed() throws IOException {
        for (String file : new String[] {"config.yaml", "stage1_last.ckpt", "stage2_last.ckpt"}) {
            Files.copy(MODEL.resolve(file), folder.resolve(file));
        }
        Ran ran = Ran.command("generate", "a cat", "--model", folder);
        assertThat(ran.code()).isEqualTo(Main.FAILED);
        assertThat(ran.err()).isEqualTo("sfumato: " + folder.resolve("tokenizer/bpe-16k-vocab.json") + ": there is no such file\n");
    }
}
