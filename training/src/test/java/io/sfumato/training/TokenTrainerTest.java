package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.text.SentencePiece;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

    @TempDir
    Path temp;

    private TokenRecipe recipe(String text) throws IOException {
        Path file = Files.writeString(temp.resolve("recipe.yaml"), text);
        assertThat(TokenRecipe.matches(file)).isTrue();
        return TokenRecipe.read(file);
    }

    private Path train(String run, String stopIn, long stopAt) throws IOException {
        return new TokenTrainer(recipe(TINY), temp.resolve(run), BreakingOff.in(stopIn, stopAt)).train(model -> { });
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
    void readsCaptionsBySentencePieceIfTheRecipeSaysSo() throws IOException {
        TokenRecipe recipe = recipe(TINY.replace("tokenizer: {tokens: 600,", "tokenizer: {kind: sentencepiece, tokens: 60,"));
        Path model = new TokenTrainer(recipe, temp.resolve("pieces"), BreakingOff.in("never", 0)).train(folder -> { });
        assertThat(SentencePiece.load(model.resolve("tokenizer/spiece.model")).ids("an apple")).hasSize(2);
        try (TextToImage parti = TextToImage.load(model.toString())) {
            assertThat(parti.generate(Prompt.of("a Duck"), parti.defaults()).width()).isEqualTo(16);
        }
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
        assertThatIllegalArgumentException().isThrownBy(() -> recipe(TINY.replace("  codes: 12\n", "")))
                .withMessageEndingWith("recipe.yaml: the key 'pictures.codes' is missing");
    }

    @Test
    void theCommittedRecipeIsSound() {
        TokenRecipe recipe = TokenRecipe.read(Path.of("../recipes/parti.yaml"));
        assertThat(recipe.vit().codes()).isEqualTo(recipe.parti(1200).codes());
    }
}
