package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.image.GenerationParameters;
import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate --prompts FILE}. */
class PromptFileTest {
    @TempDir
    private Path folder;

    private Ran generate(String lines, Object... more) throws IOException {
        Files.writeString(folder.resolve("p.txt"), lines);
        List<Object> args = new ArrayList<>(List.of("generate", "--prompts", folder.resolve("p.txt"), "--steps", 4, "--model", Ran.MODEL,
                "--quiet"));
        args.addAll(List.of(more));
        return Ran.command(args.toArray());
    }

    @Test
    void eachLineIsThePictureThatItIsAlone() throws IOException {
        Path out = folder.resolve("o.png"), trace = folder.resolve("t.safetensors");
        Ran ran = generate("""
                a red apple

                --prompt a blue house --negative_prompt "red, dark" --seed 3 --steps 6 --width 48 --cfg_scale 5 --sampler_name "Euler a"
                --prompt "a duck" --seed 9 --n_iter 2
                """, "--seed", 7, "--output", out, "--trace", trace, "--json");
        assertThat(ran.err()).isEmpty();
        JsonNode json = new ObjectMapper().readTree(ran.out());
        assertThat(json.get("seeds").toString()).isEqualTo("[7,3,9,10]");
        assertThat(json.get("pictures").get(1).get("prompt").asText()).isEqualTo("a blue house");

        List<Object[]> alone = List.of(new Object[] {"a red apple", "--seed", 7, "--steps", 4}, new Object[] {"a blue house",
                "--negative", "red, dark", "--seed", 3, "--steps", 6, "--width", 48, "--guidance", 5, "--sampler", "euler_ancestral"},
                new Object[] {"a duck", "--seed", 9, "--steps", 4}, new Object[] {"a duck", "--seed", 10, "--steps", 4});
        try (SafeTensors all = SafeTensors.open(trace)) {
            for (int i = 0; i < alone.size(); i++) {
                Path one = folder.resolve("one.png"), numbers = folder.resolve("one.safetensors");
                List<Object> args = new ArrayList<>(List.of("generate", "--model", Ran.MODEL, "--output", one, "--trace", numbers,
                        "--quiet"));
                args.addAll(List.of(alone.get(i)));
                assertThat(Ran.command(args.toArray()).code()).isZero();
                Path picture = folder.resolve("o-" + (i + 1) + ".png");
                assertThat(parameters(picture)).isEqualTo(parameters(one));
                assertThat(Image.read(picture).toString()).isEqualTo(Image.read(one).toString());
                try (SafeTensors expected = SafeTensors.open(numbers); var scope = new Scope()) {
                    String prefix = i + 1 + ".";
                    assertThat(all.names().stream().filter(name -> name.startsWith(prefix)).map(name -> name.substring(prefix.length())))
                            .containsExactlyInAnyOrderElementsOf(expected.names());
                    for (String name : expected.names()) {
                        assertThat(all.get(prefix + name).shape()).isEqualTo(expected.get(name).shape());
                        assertThat(all.get(prefix + name).sub(expected.get(name)).abs().amax(false).item()).as(prefix + name)
                                .isLessThanOrEqualTo(1e-4);
                    }
                }
            }
        }
    }

    private static GenerationParameters parameters(Path file) {
        return GenerationParameters.of(ImageFile.read(file)).orElseThrow();
    }

    @Test
    void seedsNotGivenAreOfTheLinesOwn() throws IOException {
        JsonNode json = new ObjectMapper().readTree(generate("a\nb\n--prompt c --seed -1\n", "--output", folder.resolve("o.png"), "--json",
                "--batch", 2).out());
        assertThat(json.get("seeds")).doesNotHaveDuplicates().hasSize(3).allMatch(seed -> seed.asLong() >= 0);
    }

    @Test
    void batchesAndTheirSizesMultiply() throws IOException {
        String lines = "--prompt a --n_iter 2 --batch_size 3 --seed 5\n--prompt b --batch_size 2 --seed 1\n";
        JsonNode json = new ObjectMapper().readTree(generate(lines, "--output", folder.resolve("o.png"), "--json").out());
        assertThat(json.get("seeds").toString()).isEqualTo("[5,6,7,8,9,10,1,2]");
    }

    @Test
    void aSecondPassTakesWholeBatches() throws IOException {
        Ran ran = generate("a cat\na dog\n", "--output", folder.resolve("o.png"), "--hires-scale", 1.5, "--hires-upscaler",
                "Latent (nearest-exact)");
        assertThat(ran.code()).isZero();
        assertThat(Image.read(folder.resolve("o-2.png")).toString()).isEqualTo("48x48 RGB");
        assertThat(parameters(folder.resolve("o-2.png")).settings()).containsEntry("Hires upscaler", "Latent (nearest-exact)");
    }

    @Test
    void mistakesAreNamedByFileAndLine() throws IOException {
        String file = "sfumato: " + folder.resolve("p.txt") + ":2: ";
        assertThat(generate("a\n--prompt x --widht 32\n")).isEqualTo(new Ran(1, "", file + "Unknown options: '--widht', '32'\n"));
        assertThat(generate("a\n--prompt x --width 33\n").err())
                .isEqualTo(file + "width must be a multiple of 8 from 8 to 16384, not 33: the nearest are 32 and 40\n");
        assertThat(generate("a\n--prompt x --steps many\n").err())
                .isEqualTo(file + "Invalid value for option '--steps': 'many' is not an int\n");
        assertThat(generate("a\n--prompt 'x --steps 3\n").err()).isEqualTo(file + "the quote ' is not closed\n");
        assertThat(generate("a\n--seed 3\n").err()).startsWith(file + "Missing required option: '--prompt");
        assertThat(generate("a\n--prompt x --sampler_name Eulre\n").err())
                .isEqualTo(file + "unknown sampler \"Eulre\"; the nearest are Euler, Euler a, Heun\n");
        assertThat(generate("a\n--prompt x --n_iter 65536 --batch_size 65536\n").err())
                .isEqualTo(file + "count must be 1 to 65536, not 2147483647\n");
        assertThat(generate("a\n--prompt x --n_iter 0\n").err()).isEqualTo(file + "count must be 1 to 65536, not 0\n");
        assertThat(generate("a\n--prompt x --eta 0.5\n").err()).startsWith(file + "eta is not used by PNDMScheduler");
        assertThat(Ran.names(folder)).containsExactly("p.txt");
    }

    @Test
    void filesWithoutPromptsAreRefused() throws IOException {
        assertThat(generate("\n  \n").err()).isEqualTo("sfumato: " + folder.resolve("p.txt") + ": there is no prompt in it: one a line is"
                + " wanted\n");
        assertThat(generate("a\n", "a cat")).isEqualTo(new Ran(2, "",
                "sfumato: PROMPT and --prompts are both given: one of them is wanted\n"));
        assertThat(generate("a\n", "--batch", 0)).isEqualTo(new Ran(2, "", "sfumato: batch must be at least 1, not 0\n"));
        assertThat(Ran.command("generate", "--prompts", folder.resolve("none"), "--model", Ran.MODEL))
                .isEqualTo(new Ran(1, "", "sfumato: " + folder.resolve("none") + ": there is no such file\n"));
    }

    @Test
    void wordsAreSplitAsAShellDoes() {
        assertThat(PromptFile.words("--prompt \"a \\\"big\\\" cat\" 'it''s' a\\ b  '' \\'")).containsExactly("--prompt",
                "a \"big\" cat", "its",
                "a b", "", "'");
        assertThatThrownBy(() -> PromptFile.words("\"a")).hasMessage("the quote \" is not closed");
    }
}
