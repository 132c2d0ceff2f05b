package io.sfumato.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tokenizers of min-dalle and minDALL-E against their own. */
class PairTokenizersTest {
    private static final Path GOLDEN = Path.of("../pipelines/src/test/resources/golden");

    @TempDir
    private Path folder;

    static Stream<JsonNode> minDalle() throws IOException {
        return cases("mindalle");
    }

    static Stream<JsonNode> kakao() throws IOException {
        return cases("kakao");
    }

    private static Stream<JsonNode> cases(String family) throws IOException {
        JsonNode cases = new ObjectMapper().readTree(Files.readAllBytes(GOLDEN.resolve(family + "/tokenizer-cases.json"))).get("cases");
        return StreamSupport.stream(cases.spliterator(), false);
    }

    private static int[] ids(JsonNode c) {
        return IntStream.range(0, c.get("ids").size()).map(i -> c.get("ids").get(i).asInt()).toArray();
    }

    @ParameterizedTest
    @MethodSource("minDalle")
    void equalsMinDalles(JsonNode c) {
        Path folder = GOLDEN.resolve("mindalle/dalle_bart_mini");
        var tokenizer = new DalleMiniTokenizer(folder.resolve("vocab.json"), folder.resolve("merges.txt"));
        assertThat(tokenizer.ids(c.get("text").asText())).isEqualTo(ids(c));
        assertThat(tokenizer.pad()).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("kakao")
    void equalsKakaos(JsonNode c) {
        Path folder = GOLDEN.resolve("kakao/tokenizer");
        var tokenizer = new CharacterPairs(folder.resolve("bpe-16k-vocab.json"), folder.resolve("bpe-16k-merges.txt"));
        int[] wanted = ids(c);
        assertThat(tokenizer.encode(c.get("text").asText(), wanted.length).ids()).isEqualTo(wanted);
    }

    @Test
    void emojiAreSpeltOut() {
        assertThat(EmojiNames.spellOut("a \u2764\uFE0F and \uD83D\uDC69\u200D\uD83D\uDE80!")).isEqualTo("a red_heart and woman_astronaut!");
        assertThat(EmojiNames.spellOut("5 # \u200D")).isEqualTo("5 # \u200D");
    }

    @Test
    void badFilesAreNamed() throws IOException {
        Path vocab = Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0, \"[UNK]\": 1}");
        Path merges = Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\na b c\n");
        assertThatIllegalArgumentException().isThrownBy(() -> new CharacterPairs(vocab, merges))
                .withMessage(merges + ": \"a b c\" is no pair to merge");
        Files.writeString(merges, "a b\n");
        assertThatIllegalArgumentException().isThrownBy(() -> new CharacterPairs(vocab, merges))
                .withMessage(vocab + ": the vocabulary has no [PAD]");
        assertThatIllegalArgumentException().isThrownBy(() -> new CharacterPairs(folder.resolve("none.json"), merges))
                .withMessageEndingWith("none.json: there is no such file");
        Files.writeString(vocab, "{\"a\": ");
        assertThatIllegalArgumentException().isThrownBy(() -> new DalleMiniTokenizer(vocab, merges))
                .withMessageContaining("vocab.json: no JSON: ").withMessageNotContaining("\n");
    }
}
