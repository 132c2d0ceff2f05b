package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import io.sfumato.text.SentencePiece;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole small training of a Parti, unbroken and broken off. */
class TokenTrainerTest {
    private static final String TINY = """
            name: tiny
            seed: 1
            data:
              kind: scenes
              scenes: {clipart: ../bundled/src/main/resources/io/sfumato/bundled/clipart, size: 16, pairs: 0.3, coloured: 0.6,
                namedBackgrounds: 0.25, nouns: [apple, duck]}
            tokenizer: {tokens: 600, length: 12, captions: 30}
            pictures:
              patch: 8
              width: 16
              layers: 1
              heads: 2
              mlp: 24
              embed: 4
              codes: 12
              commitment: 0.25
              perceptual: 0.1
              lpips: ""
              adversarial: 0.1
              adversary: 4
              restart: 3
              loop: {steps: 8, batch: 4, rate: 0.003, warmup: 2, decay: 0.0001, clip: 1.0, ema: 0.0, saveEvery: 4}
            transformer:
              encoderLayers: 1
              decoderLayers: 2
              width: 16
              mlp: 24
              heads: 2
              near: 1
              textDropout: 0.2
              scenes: 12
              loop: {steps: 8, batch: 4, rate: 0.003, warmup: 2, decay: 0.045, clip: 4.0, ema: 0.5, saveEvery: 4}
            prompts: [a duck, an apple]
            """;

    private static final String DECODER = "{adversary: 8, loop: {steps: 12, batch: 4, rate: 0.003, warmup: 2, decay: 0.0001, clip: 1.0, "
            + "ema: 0.0, saveEvery: 4}}";
    private static final String STAGED = TINY + """
            captionsAlone:
              - captions: 20
                hidden: 0.3
                loop: {steps: 60, batch: 4, rate: 0.01, warmup: 2, decay: 0.0001, clip: 1.0, ema: 0.0, saveEvery: 20}
            decoderAlone: [DECODER]
            """.replace("DECODER", DECODER);

    @TempDir
    Path temp;

    private TokenRecipe recipe(String text) throws IOException {
        Path file = Files.writeString(temp.resolve("recipe.yaml"), text);
        assertThat(TokenRecipe.matches(file)).isTrue();
        return TokenRecipe.read(file);
    }

    private Path train(String run, String stopIn, long stopAt) throws IOException {
        return train(TINY, run, stopIn, stopAt);
    }

    private Path train(String text, String run, String stopIn, long stopAt) throws IOException {
        return new TokenTrainer(recipe(text), temp.resolve(run), BreakingOff.in(stopIn, stopAt)).train(model -> { });
    }

    @Test
    void trainsAModelThatDrawsAndGoesOnAsIfNeverBrokenOff() throws IOException {
        Path model = train("whole", "never", 0);
        assertThat(model.resolve("nouns.txt")).hasContent("apple\nduck\n");
        try (TextToImage parti = TextToImage.load(model.toString())) {
            assertThat(parti.defaults().guidance()).isEqualTo(3);
            Image picture = parti.generate(Prompt.of("a duck"), parti.defaults());
            assertThat(picture.width()).isEqualTo(16);
        }
        for (String stage : List.of("pictures", "transformer")) {
            assertThatIllegalStateException().isThrownBy(() -> train("broken", stage, 6)).withMessage("broken off");
        }
        train("broken", "never", 0);
        for (String file : List.of("model/transformer/model.safetensors", "transformer.csv", "samples-8.png")) {
            assertThat(temp.resolve("broken").resolve(file)).as(file).isNotEmptyFile();
        }
        assertThat(Files.readAllLines(temp.resolve("broken/pictures.csv"))).hasSize(9).first().isEqualTo("step,loss,psnr,used");
        assertThat(temp.resolve("broken/transformer.csv")).hasSameTextualContentAs(temp.resolve("whole/transformer.csv"));
    }

    @Test
    void trainsTheEncoderBeforeAndTheDecoderAfter() throws IOException {
        Path whole = train(STAGED, "whole", "never", 0), run = temp.resolve("broken");
        for (String stage : List.of("captions", "transformer", "decoder")) {
            int at = stage.equals("captions") ? 30 : stage.equals("transformer") ? 1 : 6;
            assertThatIllegalStateException().isThrownBy(() -> train(STAGED, "broken", stage, at)).withMessage("broken off");
            if (stage.equals("transformer")) {
                // The checkpoint is that of step 0 still.
                Map<String, float[]> begun = read(run.resolve("transformer.safetensors"), "weights/");
                read(run.resolve("encoder.safetensors"), "").forEach((name, numbers) ->
                        assertThat(begun.get("weights/" + name)).as(name).isEqualTo(numbers));
            }
        }
        Map<String, float[]> before = read(run.resolve("model/vq/model.safetensors"), "");
        Path model = train(STAGED, "broken", "never", 0);
        assertThat(model.resolve("vq/model.safetensors")).hasSameBinaryContentAs(whole.resolve("vq/model.safetensors"));
        assertThat(model.resolve("transformer/model.safetensors")).hasSameBinaryContentAs(whole.resolve("transformer/model.safetensors"));
        assertThat(run.resolve("samples.png")).isNotEmptyFile();
        assertThat(lossesOf("captions", 40, 60)).isLessThan(0.8 * lossesOf("captions", 0, 10));
        assertThat(lossesOf("decoder", 5, 8)).isLessThan(lossesOf("decoder", 0, 3));

        Map<String, float[]> after = read(model.resolve("vq/model.safetensors"), "");
        assertThat(after.keySet()).isEqualTo(before.keySet());
        after.forEach((name, numbers) -> {
            boolean draws = name.startsWith("decoder.transformer") || name.startsWith("decoder.to_pixel") || name.startsWith("post_quant.");
            assertThat(Arrays.equals(numbers, before.get(name))).as(name).isEqualTo(!draws);
        });
        try (TextToImage parti = TextToImage.load(model.toString())) {
            assertThat(parti.generate(Prompt.of("a duck"), parti.defaults()).width()).isEqualTo(16);
        }
    }

    /** The mean loss of some steps. */
    private double lossesOf(String stage, int from, int to) throws IOException {
        return Files.readAllLines(temp.resolve("whole/" + stage + ".csv")).subList(1 + from, 1 + to).stream()
                .mapToDouble(line -> Double.parseDouble(line.split(",")[1])).average().orElseThrow();
    }

    private static Map<String, float[]> read(Path file, String prefix) {
        Map<String, float[]> all = new TreeMap<>();
        try (SafeTensors tensors = SafeTensors.open(file); Scope scope = new Scope()) {
            tensors.names().stream().filter(name -> name.startsWith(prefix)).forEach(name -> all.put(name, tensors.get(name).toFloats()));
        }
        return all;
    }

    @Test
    void readsCaptionsBySentencePieceIfTheRecipeSaysSo() throws IOException {
        TokenRecipe recipe = recipe(TINY.replace("tokenizer: {tokens: 600,", "tokenizer: {kind: sentencepiece, tokens: 60,"));
        Path model = new TokenTrainer(recipe, temp.resolve("pieces"), BreakingOff.in("never", 0)).train(folder -> { });
        assertThat(SentencePiece.load(model.resolve("tokenizer/spiece.model")).ids("an apple")).hasSize(2);
        try (TextToImage parti = TextToImage.load(model.toString())) {
            assertThat(parti.generate(Prompt.of("a Duck"), parti.defaults()).width()).isEqualTo(16);
        }
    }

    @Test
    void twoProcessesShareTheTransformer() throws Exception {
        Path one = temp.resolve("one"), two = temp.resolve("two"), vq = two.resolve("model/vq/model.safetensors");
        TokenRecipe recipe = recipe(TINY);
        train(TINY.replace("ema: 0.5", "ema: 0.5, accumulate: 2"), "one", "never", 0);
        assertThatIllegalArgumentException().isThrownBy(() -> recipe.requireSharedBy(2, two)).withMessage("the tokenizer of pictures "
                + "learns from whole batches: one process is wanted until " + vq + " is there, then 2 can go on with the Transformer");
        assertThatIllegalStateException().isThrownBy(() -> train("two", "transformer", 1)).withMessage("broken off");
        TwoProcesses.train(group -> new TokenTrainer(recipe, two, BreakingOff.in("never", 0), group).train(saved -> { }));
        TwoProcesses.assertSameLosses(two, one, "transformer");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe.requireSharedBy(3, two))
                .withMessage("transformer.loop.batch is 4, where a multiple of 3 (for 3 processes) is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(STAGED).requireSharedBy(2, two)).withMessage("captionsAlone learns "
                + "from whole batches: one process is wanted until " + two.resolve("encoder.safetensors") + " is there, then 2 can go on "
                + "with the Transformer");
        TokenRecipe after = recipe(TINY + "decoderAlone: [" + DECODER + "]\n");
        assertThatIllegalArgumentException().isThrownBy(() -> after.requireSharedBy(2, two)).withMessage("decoderAlone learns from whole "
                + "batches: one process is wanted, or a recipe without it until 2 have trained the Transformer");
    }

    @Test
    void wrongRecipesAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("patch: 8", "patch: 7")))
                .withMessageEndingWith("recipe.yaml: data has pictures of 16 pixels, where a multiple of pictures.patch 7 is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("textDropout: 0.2", "textDropout: 2")))
                .withMessageEndingWith("recipe.yaml: in 'transformer': textDropout is 2.0 and scenes 12, where 0 to 1, and 1 or more, "
                        + "are wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("tokens: 600", "kind: words, tokens: 600")))
                .withMessageEndingWith("recipe.yaml: in 'tokenizer': kind is words, where clip or sentencepiece is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("{tokens: 600, length: 12",
                        "{kind: sentencepiece, tokens: 600, length: 0")))
                .withMessageEndingWith("recipe.yaml: in 'tokenizer': length is 0 and captions 30, where 1 or more are wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("ema: 0.0,", "ema: 0.0, accumulate: 2,")))
                .withMessageEndingWith("recipe.yaml: in 'pictures': loop.accumulate is 2, where 1 (the adversary's weight is found from a "
                        + "whole batch) is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(STAGED.replace("hidden: 0.3", "hidden: 0")))
                .withMessageEndingWith("recipe.yaml: in 'captionsAlone.0': captions is 20 and hidden 0.0, where 1 or more, and more than 0 "
                        + "to 1, are wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY + "decoderAlone: [" + DECODER + ", " + DECODER + "]"))
                .withMessageEndingWith("recipe.yaml: decoderAlone has 2 stages, where a list of none or one is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(STAGED.replace("ema: 0.0, saveEvery: 4}}", "ema: 0.0, saveEvery: 4, "
                        + "accumulate: 2}}")))
                .withMessageEndingWith("recipe.yaml: in 'decoderAlone.0': loop.accumulate is 2, where 1 (the adversary's weight is found "
                        + "from a whole batch) is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("  codes: 12\n", "")))
                .withMessageEndingWith("recipe.yaml: the key 'pictures.codes' is missing");
    }

    @Test
    void theCommittedRecipeIsSound() {
        TokenRecipe recipe = TokenRecipe.read(Path.of("../recipes/parti.yaml"));
        assertThat(recipe.vit().codes()).isEqualTo(recipe.parti(1200).codes());
    }
}
