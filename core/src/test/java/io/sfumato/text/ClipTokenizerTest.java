package io.sfumato.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cases were made with transformers 5.23.0 and tokenizers 0.23.3; their letters are in Unicode 13, which Java 17 knows. */
class ClipTokenizerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path RESOURCES = resources();

    private final ClipTokenizer tiny = ClipTokenizer.load(RESOURCES.resolve("tiny"));

    @TempDir
    private Path folder;

    @Test
    void givesTheIdsAndTextsOfTransformers() throws IOException {
        assertCases(tiny, JSON.readTree(RESOURCES.resolve("tiny-cases.json").toFile()), 150);
    }

    @Test
    void readsAFolderWithOnlyTokenizerJson() throws IOException {
        ClipTokenizer single = ClipTokenizer.load(RESOURCES.resolve("single"));
        assertCases(single, JSON.readTree(RESOURCES.resolve("single-cases.json").toFile()), 12);
        assertThat(List.of(single.vocabSize(), single.bosId(), single.eosId(), single.padId(), single.maxLength()))
                .containsExactly(736, 732, 733, 733, 77);
    }

    @Test
    void readsSpecialAndAddedTokensInEveryLayout() throws IOException {
        for (JsonNode layout : JSON.readTree(RESOURCES.resolve("folders.json").toFile())) {
            Path here = copyOfTiny(layout.get("name").asText());
            Files.delete(here.resolve("special_tokens_map.json"));
            for (var file : layout.get("files").properties()) {
                JSON.writeValue(here.resolve(file.getKey()).toFile(), file.getValue());
            }
            ClipTokenizer tokenizer = ClipTokenizer.load(here);
            assertCases(tokenizer, layout.get("cases"), 12);
            assertThat(tokenizer.vocabSize()).isEqualTo(layout.get("size").asInt());
            assertThat(tokenizer.padId()).isEqualTo(layout.get("pad").asInt());
            assertThat(tokenizer.maxLength()).isEqualTo(77);
        }
    }

    @Test
    void encodesIntoStartTextEndAndPadding() {
        var encoded = tiny.encode("a photo of a cat");
        var expected = new int[77];
        Arrays.fill(expected, 733);
        System.arraycopy(new int[] {732, 320, 592, 516, 320, 699, 733}, 0, expected, 0, 7);
        assertThat(encoded.ids()).isEqualTo(expected);
        assertThat(encoded.count()).isEqualTo(7);
        assertThat(encoded.cutOff()).isEmpty();
    }

    @Test
    void cutsALongTextAndTellsWhatWasCut() {
        var fits = tiny.encode("a ".repeat(75));
        assertThat(fits.count()).isEqualTo(77);
        assertThat(fits.cutOff()).isEmpty();
        var cut = tiny.encode("a ".repeat(75) + "photo of a Cat");
        assertThat(cut.ids()).isEqualTo(fits.ids()).hasSize(77).endsWith(320, 733);
        assertThat(cut.count()).isEqualTo(77);
        assertThat(cut.cutOff()).isEqualTo("photo of a cat");
    }

    @Test
    void anEmptyTextIsStartAndEnd() {
        assertThat(tiny.ids("")).isEmpty();
        assertThat(tiny.ids(" \t\n")).isEmpty();
        assertThat(tiny.encode("").ids()).startsWith(732, 733, 733);
        assertThat(tiny.encode("").count()).isEqualTo(2);
        assertThat(tiny.decode(new int[0])).isEmpty();
    }

    @Test
    void aLoneSurrogateIsTheReplacementCharacter() {
        assertThat(tiny.ids("a\ud800b \udc00")).isEqualTo(tiny.ids("a\ufffdb \ufffd"));
        assertThat(tiny.decode(tiny.ids("a \ud800"))).isEqualTo("a \ufffd");
        assertThat(tiny.ids("\ud83d\ude00")).isNotEqualTo(tiny.ids("\ufffd"));
    }

    @Test
    void takesFurtherTokensAndAnotherPadding() {
        ClipTokenizer more = tiny.withTokens(List.of("<Cat-Toy>", "<Cat-Toy>_1"));
        assertThat(more.ids("a <cat-toy><cat-toy>_1 cat")).containsExactly(320, 734, 735, 699);
        assertThat(more.vocabSize()).isEqualTo(736);
        assertThat(more.id("<Cat-Toy>")).isEqualTo(734);
        assertThat(tiny.vocabSize()).isEqualTo(734);
        ClipTokenizer padded = tiny.withPadding("!");
        assertThat(padded.encode("a!").ids()).startsWith(732, 320, 0, 733, 0).endsWith(0);
        assertThat(tiny.ids("a!")).containsExactly(320, 256);
    }

    @Test
    void decodingLeavesNormalizedTextAsItIs() {
        var random = new Random(4);
        for (int round = 0; round < 200; round++) {
            String text = random.ints(random.nextInt(1, 8), 0x4e00, 0x9fa5).mapToObj(Character::toString)
                    .reduce("", String::concat);
            assertThat(tiny.decode(tiny.ids(text))).isEqualTo(text);
        }
    }

    /** Steps in the square of this length would take hours. */
    @Test
    void aVeryLongWordIsQuick() {
        String letters = new Random(2).ints(1_000_000, 'a', 'z' + 1).mapToObj(Character::toString).collect(Collectors.joining());
        assertThat(tiny.ids(letters)).hasSizeGreaterThan(100_000);
        assertThat(tiny.ids("x".repeat(1_000_000))).hasSizeGreaterThan(100_000);
    }

    @Test
    void namesAMissingFile() throws IOException {
        Path here = copyOfTiny("missing");
        Files.delete(here.resolve("merges.txt"));
        assertThatThrownBy(() -> ClipTokenizer.load(here)).isInstanceOf(UncheckedIOException.class).hasMessage(
                here.resolve("merges.txt") + " is missing; a CLIP tokenizer is vocab.json and merges.txt, or tokenizer.json");
        Files.delete(here.resolve("vocab.json"));
        assertThatThrownBy(() -> ClipTokenizer.load(here)).isInstanceOf(UncheckedIOException.class).hasMessage(
                here.resolve("vocab.json") + " is missing; a CLIP tokenizer is vocab.json and merges.txt, or tokenizer.json");
    }

    @Test
    void namesAFileThatIsNoVocabulary() throws IOException {
        assertRefused("vocab.json", "not json", "%s is no JSON: Unrecognized token 'not': was expecting "
                + "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')");
        assertRefused("vocab.json", "[1]", "%s: the vocabulary is no JSON object of tokens and ids");
        assertRefused("vocab.json", "", "%s is no JSON: it is empty");
        assertRefused("vocab.json", "{\"a\": \"one\"}", "%s: the id of \"a\" is \"one\", not a whole number");
        assertRefused("tokenizer.json", "{\"model\": {\"type\": \"Unigram\"}}",
                "%s: model type \"Unigram\" with end_of_word_suffix \"\" is not CLIP's; \"BPE\" with \"</w>\" is");
    }

    @Test
    void namesIdsThatDoNotFit() throws IOException {
        assertRefused("vocab.json", "{\"a\": 0, \"b\": 2}",
                "%s with merges.txt: the id of \"b\" is 2, but 2 tokens must have the ids 0 to 1");
        assertRefused("vocab.json", "{\"a\": -1}", "%s with merges.txt: the id of \"a\" is -1, but 1 tokens must have the ids 0 to 0");
        assertRefused("vocab.json", "{\"a\": 0, \"b\": 0}",
                "%s with merges.txt: \"a\" and \"b\" have the same id 0; each token needs its own");
        assertRefused("added_tokens.json", "{\"<x>\": 800}", "%s: the added token \"<x>\" claims the id 800, but its place is 734");
        assertThatThrownBy(() -> tiny.decode(new int[] {320, 734})).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no token has the id 734; the vocabulary has 0 to 733");
        assertThatThrownBy(() -> tiny.withTokens(List.of(""))).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("an added token is empty; it needs at least one character");
        assertThatThrownBy(() -> tiny.withPadding("<pad>")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no token \"<pad>\" among the 734 of the vocabulary");
    }

    @Test
    void namesAMergeThatDoesNotFit() throws IOException {
        assertRefused("merges.txt", "#version: 0.2\ni n\nq zz\n", vocabularyOf("merge 2 \"q zz\" needs the token \"zz\""));
        assertRefused("merges.txt", "i n\nq z\n", vocabularyOf("merge 2 \"q z\" needs the token \"qz\""));
        Path broken = copyOfTiny("broken").resolve("merges.txt");
        Files.write(broken, new byte[] {'i', ' ', (byte) 0xff});
        assertThatThrownBy(() -> ClipTokenizer.load(broken.getParent())).isInstanceOf(IllegalArgumentException.class)
                .hasMessage(broken + " is no UTF-8 text");
        assertRefused("merges.txt", "i n g\n", "%s: the merge \"i n g\" is not two tokens with a space between");
    }

    @Test
    void namesAWrongConfiguration() throws IOException {
        assertRefused("tokenizer_config.json", "{\"model_max_length\": 2}",
                "model_max_length is 2; start token, end token and text need 3 or more");
        assertRefused("tokenizer_config.json", "{\"model_max_length\": 2147483647}",
                "model_max_length is 2147483647; prompts have up to 1048576 ids");
        assertRefused("tokenizer_config.json", "{\"added_tokens_decoder\": {\"x\": {\"content\": \"<x>\"}}}",
                "%s: the id \"x\" of an added token is not a whole number");
        assertRefused("tokenizer_config.json", "{\"added_tokens_decoder\": {\"734\": {\"special\": true}}}",
                "%s: {\"special\":true} is no token; a text or an object with \"content\" is needed");
    }

    @Test
    void namesWhatIsWrongWithTheMergesOfClip() throws IOException {
        assertThatThrownBy(() -> ClipTokenizer.fromMerges(new ByteArrayInputStream("plain text".getBytes())))
                .isInstanceOf(IllegalArgumentException.class).hasMessage("the merges of CLIP are no whole gzip file: Not in GZIP format");
        assertThatThrownBy(() -> ClipTokenizer.fromMerges(gzip("header\ni n\nt h\n"))).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the merges of CLIP are 2 lines after the first; 48894 are needed");
    }

    /** Writes the file into a copy of the tiny folder; "%s" in the message is its path. */
    private void assertRefused(String file, String content, String message) throws IOException {
        Path here = copyOfTiny("refused");
        Files.writeString(here.resolve(file), content);
        assertThatThrownBy(() -> ClipTokenizer.load(here)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message.replace("%s", here.resolve(file).toString()));
        Files.delete(here.resolve(file));
    }

    private String vocabularyOf(String fault) {
        return folder.resolve("refused").resolve("vocab.json") + " with merges.txt: " + fault + ", which the vocabulary does not have";
    }

    private Path copyOfTiny(String name) throws IOException {
        Path here = Files.createDirectories(folder.resolve(name));
        for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
            Files.write(here.resolve(file), Files.readAllBytes(RESOURCES.resolve("tiny").resolve(file)));
        }
        return here;
    }

    private static InputStream gzip(String text) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bytes)) {
            gzip.write(text.getBytes());
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    private static void assertCases(ClipTokenizer tokenizer, JsonNode cases, int atLeast) {
        assertThat(cases.size()).isGreaterThanOrEqualTo(atLeast);
        for (JsonNode row : cases) {
            int[] ids = JSON.convertValue(row.get("ids"), int[].class);
            assertThat(tokenizer.ids(row.get("text").asText())).as(row.get("text").toString()).isEqualTo(ids);
            assertThat(tokenizer.decode(ids)).isEqualTo(row.get("decoded").asText());
        }
    }

    private static Path resources() {
        try {
            return Path.of(ClipTokenizerTest.class.getResource("/text/captions.txt").toURI()).getParent();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
