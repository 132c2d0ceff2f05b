package io.sfumato.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.entry;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GenerationParametersTest {
    private static Map<String, String> settings(String... keysAndValues) {
        var settings = new LinkedHashMap<String, String>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return settings;
    }

    private static void both(String text, GenerationParameters parameters) {
        assertThat(parameters.format()).isEqualTo(text);
        assertThat(GenerationParameters.parse(text)).isEqualTo(parameters);
        assertThat(GenerationParameters.parse(text).settings().keySet()).containsExactlyElementsOf(parameters.settings().keySet());
    }

    @Test
    void theUsualText() {
        both("a cat, (in a hat:1.2)\nNegative prompt: dog, [blurry]\n"
            + "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: 6ce0161689",
            new GenerationParameters("a cat, (in a hat:1.2)", "dog, [blurry]", settings("Steps", "20", "Sampler", "DPM++ 2M",
                "Schedule type", "Karras", "CFG scale", "7", "Seed", "965400086", "Size", "512x768", "Model hash", "6ce0161689")));
    }

    @Test
    void promptsOfManyLines() {
        both("first\n\nthird BREAK\nfourth\nNegative prompt: one\ntwo: three\nSteps: 1, Seed: 2, Size: 8x8",
            new GenerationParameters("first\n\nthird BREAK\nfourth", "one\ntwo: three",
                settings("Steps", "1", "Seed", "2", "Size", "8x8")));
    }

    @Test
    void noPromptAndNoNegative() {
        both("Steps: 1, Seed: 2, Size: 8x8", new GenerationParameters("", "", settings("Steps", "1", "Seed", "2", "Size", "8x8")));
        both("Negative prompt: bad\nSteps: 1, Seed: 2, Size: 8x8",
            new GenerationParameters("", "bad", settings("Steps", "1", "Seed", "2", "Size", "8x8")));
        both("only a prompt", new GenerationParameters("only a prompt", "", Map.of()));
        both("a\nNegative prompt: b", new GenerationParameters("a", "b", Map.of()));
        both("", new GenerationParameters("", "", Map.of()));
    }

    @Test
    void valuesWithCommasColonsAndLinesAreQuoted() {
        both("p\nSteps: 1, Lora hashes: \"a: 0123, b: 4567\", Hires prompt: \"one\\ntwo \\\"q\\\" \\\\\", Time: \"12:30\", Note: 猫",
            new GenerationParameters("p", "", settings("Steps", "1", "Lora hashes", "a: 0123, b: 4567", "Hires prompt", "one\ntwo \"q\" \\",
                "Time", "12:30", "Note", "猫")));
        both("p\nA1: \"é, 猫 \uD83D\uDC08\", B2: \"\\t\", C3: \"\\\"x\\\"\", D4: \" y\", E5: , F6: a\"b",
            new GenerationParameters("p", "", settings("A1", "é, 猫 \uD83D\uDC08", "B2", "\t", "C3", "\"x\"", "D4", " y", "E5", "",
                "F6", "a\"b")));
    }

    @Test
    void emptyValuesAtTheEnd() {
        both("p\nAa: 1, Bb: 2, Cc:", new GenerationParameters("p", "", settings("Aa", "1", "Bb", "2", "Cc", "")));
    }

    @Test
    void keysMayHaveSpacesDashesSlashesAndUnderscores() {
        both("p\nCFG scale: 1, X/Y-type a: 2, _x_: 3, 2nd: 4, Größe: 5",
            new GenerationParameters("p", "", settings("CFG scale", "1", "X/Y-type a", "2", "_x_", "3", "2nd", "4", "Größe", "5")));
    }

    @Test
    void fewerThanThreeSettingsArePrompt() {
        var parsed = GenerationParameters.parse("a cat\nSteps: 20, Seed: 1");
        assertThat(parsed).isEqualTo(new GenerationParameters("a cat\nSteps: 20, Seed: 1", "", Map.of()));
    }

    @Test
    void aPromptFullOfColonsStaysAPrompt() {
        String prompt = "(cat:1.2), (hat:0.8), a: b";
        assertThat(GenerationParameters.parse(prompt + "\nSteps: 1, Seed: 2, Size: 8x8").prompt()).isEqualTo(prompt);
        assertThat(GenerationParameters.parse("<lora:x:1>, <lora:y:0.5>").prompt()).isEqualTo("<lora:x:1>, <lora:y:0.5>");
    }

    @Test
    void loosePunctuationAsOtherToolsWriteIt() {
        var parsed = GenerationParameters.parse("  p  \r\nNegative prompt:n\r\nSteps:20,Sampler:  Euler a , Seed: 1,, Size: 8x8,\r\n\n");
        assertThat(parsed.prompt()).isEqualTo("p");
        assertThat(parsed.negativePrompt()).isEqualTo("n");
        assertThat(parsed.settings()).containsExactly(entry("Steps", "20"), entry("Sampler", "Euler a "), entry("Seed", "1"),
            entry("Size", "8x8"));
    }

    @Test
    void brokenQuotesAreReadUpToAComma() {
        var parsed = GenerationParameters.parse("p\nAa: \"open, Bb: \"x\" y, Cc: \"\\q\", Dd: \"\", Ee: \"a\\\", Ff: 1");
        assertThat(parsed.settings()).containsExactly(entry("Aa", "\"open"),
            entry("Bb", "\"x\" y"), entry("Cc", "\"\\q\""), entry("Dd", ""), entry("Ee", "\"a\\\""), entry("Ff", "1"));
    }

    @Test
    void junkBetweenSettingsIsPassedOver() {
        assertThat(GenerationParameters.parse("p\n((Aa: 1, x: 2, !!, Bb: 3, Cc: 4").settings())
            .containsExactly(entry("Aa", "1"), entry("Bb", "3"), entry("Cc", "4"));
    }

    @Test
    void theLastOfTwoEqualKeysWins() {
        assertThat(GenerationParameters.parse("p\nAa: 1, Bb: 2, Aa: 3").settings()).containsExactly(entry("Aa", "3"), entry("Bb", "2"));
    }

    @Test
    void aSecondNegativePromptContinuesTheFirst() {
        assertThat(GenerationParameters.parse("a\nNegative prompt: b\nNegative prompt: c").negativePrompt()).isEqualTo("b\nc");
    }

    @Test
    void longLinesNeitherOverflowNorCrawl() {
        String value = "\\\",".repeat(200_000);
        var parameters = new GenerationParameters("p", "", settings("Aa", value, "Bb", "1", "Cc", "2"));
        assertThat(GenerationParameters.parse(parameters.format())).isEqualTo(parameters);
        String words = "word ".repeat(200_000).strip();
        assertThat(GenerationParameters.parse(words).prompt()).isEqualTo(words);
    }

    @Test
    void fieldsAreThoseOfTheWebUi() {
        var parameters = new GenerationParameters("p", "n", settings("Steps", "1", "Size", "512x768", "Model", "4xUltra"));
        assertThat(parameters.fields()).containsExactly(entry("Prompt", "p"), entry("Negative prompt", "n"), entry("Steps", "1"),
            entry("Size-1", "512"), entry("Size-2", "768"), entry("Model", "4xUltra"), entry("Clip skip", "1"),
            entry("Hires resize-1", "0"), entry("Hires resize-2", "0"), entry("RNG", "GPU"), entry("Schedule type", "Automatic"));
    }

    @Test
    void impossibleKeysAreNamed() {
        for (String key : new String[] {"", "x", "a:b", "a,b", " ab", "-ab", "a\nb"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new GenerationParameters("", "", Map.of(key, "1")))
                .withMessageStartingWith("'" + key + "' is no key of a setting: at least 2 letters, digits, '_', ' ', '-' or '/' expected");
        }
    }

    @Test
    void anyValuesRoundTrip() {
        var random = new Random(5);
        String alphabet = "ab ,:\"\\\n\t\r-/x1é猫'{}[]()";
        for (int i = 0; i < 20_000; i++) {
            var parameters = new GenerationParameters("p " + i, i % 2 == 0 ? "" : "n",
                settings("Steps", word(random, alphabet), "Lora hashes", word(random, alphabet), "Last", word(random, alphabet)));
            assertThat(GenerationParameters.parse(parameters.format())).isEqualTo(parameters);
        }
    }

    @Test
    void anyTextIsReadWithoutAnError() {
        var random = new Random(6);
        for (int i = 0; i < 20_000; i++) {
            var parsed = GenerationParameters.parse(word(random, "Aab,:\" \n\\")
                + word(random, "Ne: ,\"") + word(random, "Negative prompt:\n"));
            if (parsed.settings().size() >= 3) {
                assertThat(GenerationParameters.parse(parsed.format()).settings()).isEqualTo(parsed.settings());
            }
        }
    }

    private static String word(Random random, String alphabet) {
        var word = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            word.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return word.toString();
    }
}
