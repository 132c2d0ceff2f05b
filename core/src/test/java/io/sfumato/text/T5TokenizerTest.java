package io.sfumato.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ids that transformers 5.23.0 gives, for a tiny vocabulary in both layouts and for the published one. */
class T5TokenizerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path TINY = Golden.file("t5/tokenizer-cases.json").getParent();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"tokenizer", "tokenizer_json"})
    void equalsTransformersInBothLayouts(String layout) throws IOException {
        T5Tokenizer tokenizer = T5Tokenizer.load(TINY.resolve(layout));
        JsonNode cases = JSON.readTree(TINY.resolve("tokenizer-cases.json").toFile()).get("cases");
        assertThat(cases.size()).isEqualTo(20);
        for (JsonNode row : cases) {
            String text = row.get("text").asText();
            assertThat(withEnd(tokenizer, text)).as(text).isEqualTo(JSON.convertValue(row.get("transformers"), int[].class));
            T5Tokenizer.Encoded encoded = tokenizer.encode(text, 24);
            assertThat(encoded.ids()).as(text).isEqualTo(JSON.convertValue(row.get("max_24"), int[].class));
            assertThat(encoded.mask()).as(text).isEqualTo(JSON.convertValue(row.get("mask_24"), int[].class));
        }
        assertThat(tokenizer.vocabSize()).isEqualTo(305);
        assertThat(new int[] {tokenizer.padId(), tokenizer.endId(), tokenizer.id("<extra_id_99>"), tokenizer.id("<extra_id_0>")})
                .containsExactly(0, 1, 205, 304);
    }

    @Test
    void equalsTransformersOnOddTextsWithThePublishedVocabulary() throws IOException {
        Path here = Files.createDirectories(folder.resolve("t5"));
        Files.copy(resource("t5/spiece.model"), here.resolve("spiece.model"));
        T5Tokenizer tokenizer = T5Tokenizer.load(here);
        JsonNode cases = JSON.readTree(resource("t5/cases.json").toFile());
        assertThat(cases.size()).isGreaterThan(150);
        for (JsonNode row : cases) {
            String text = row.get("text").asText();
            assertThat(withEnd(tokenizer, text)).as(row.get("text").toString()).isEqualTo(JSON.convertValue(row.get("ids"), int[].class));
        }
        assertThat(tokenizer.vocabSize()).isEqualTo(32100);
    }

    private static int[] withEnd(T5Tokenizer tokenizer, String text) {
        int[] ids = tokenizer.ids(text);
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = tokenizer.endId();
        return ended;
    }

    @Test
    void cutsALongTextAndTellsWhatWasCut() {
        T5Tokenizer tokenizer = T5Tokenizer.load(TINY.resolve("tokenizer"));
        T5Tokenizer.Encoded cut = tokenizer.encode("a photo of a cat and a blue lake", 8);
        assertThat(cut.count()).isEqualTo(8);
        assertThat(cut.ids()).hasSize(8).endsWith(tokenizer.endId());
        assertThat("a photo of a cat and a blue lake").endsWith(cut.cutOff());
        assertThat(cut.cutOff()).isNotEmpty();
        assertThat(tokenizer.encode("", 3).ids()).containsExactly(1, 0, 0);
        assertThat(tokenizer.encode("a\ud800", 9).ids()).isEqualTo(tokenizer.encode("a\ufffd", 9).ids());
        assertThatThrownBy(() -> tokenizer.encode("a", 0)).hasMessage("a prompt of 0 ids; the end token needs 1");
    }

    @Test
    void readsWhatTheFolderSaysOfSpecialTokens() throws IOException {
        Path here = copy("special");
        Files.delete(here.resolve("special_tokens_map.json"));
        Files.writeString(here.resolve("tokenizer_config.json"), "{\"extra_ids\": 2, \"added_tokens_decoder\": {\"206\": "
                + "{\"content\": \"<extra_id_0>\", \"lstrip\": true, \"rstrip\": true, \"special\": true}}, \"pad_token\": \"<nothing>\"}");
        T5Tokenizer tokenizer = T5Tokenizer.load(here);
        assertThat(tokenizer.ids("a <extra_id_0>  a")).containsExactly(tokenizer.ids("a")[0], 206, tokenizer.ids("a")[0]);
        assertThat(tokenizer.id("<extra_id_1>")).isEqualTo(205);
        assertThat(tokenizer.padId()).isEqualTo(207);
        assertThatThrownBy(() -> tokenizer.id("zebra")).hasMessage("no token \"zebra\" among the 208 of the vocabulary");
        assertThatThrownBy(() -> tokenizer.decode(new int[] {208})).hasMessage("no token has the id 208; the vocabulary has 0 to 207");
    }

    @Test
    void namesWhatIsMissingOrDamaged() throws IOException {
        Path here = copy("damaged");
        Path model = here.resolve("spiece.model"), json = here.resolve("tokenizer.json");
        byte[] whole = Files.readAllBytes(model);
        Files.write(model, Arrays.copyOf(whole, 5000));
        assertThatThrownBy(() -> T5Tokenizer.load(here)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(model + " is no SentencePiece model, or damaged: ").hasMessageNotContaining("\n");
        Files.delete(model);
        assertThatThrownBy(() -> T5Tokenizer.load(here)).hasMessage(
                model + " is missing; a T5 tokenizer is spiece.model or tokenizer.json");
        assertRefused(json, "{\"model\": {\"type\": \"BPE\", \"vocab\": {}}}",
                json + ": model type \"BPE\" is not T5's; \"Unigram\" with a list of pieces and scores is");
        assertRefused(json, "{\"model\": {\"unk_id\": 0, \"vocab\": [[\"a\"]]}}",
                json + ": [\"a\"] in the vocabulary is not a piece with its score");
        assertRefused(json, "{\"model\": {\"unk_id\": 3, \"vocab\": [[\"a\", 0]]}}",
                json + ": unk_id is 3, where one of the 1 pieces is wanted");
        assertRefused(json, "{\"model\": {\"unk_id\": 0, \"vocab\": [[\"a\", 0]]}, \"normalizer\": {\"type\": \"Precompiled\", "
                + "\"precompiled_charsmap\": \"AAAA\"}}",
                json + ": the normalization rules of 3 bytes are damaged: a trie of -1 bytes does not fit in");
        assertRefused(json, "{", json + ": no JSON: ");
    }

    private static void assertRefused(Path file, String content, String message) throws IOException {
        Files.writeString(file, content);
        assertThatThrownBy(() -> T5Tokenizer.load(file.getParent())).hasMessageStartingWith(message).hasMessageNotContaining("\n");
    }

    private Path copy(String name) throws IOException {
        Path here = Files.createDirectories(folder.resolve(name));
        for (String file : new String[] {"spiece.model", "special_tokens_map.json", "tokenizer_config.json"}) {
            Files.copy(TINY.resolve("tokenizer").resolve(file), here.resolve(file));
        }
        return here;
    }

    static Path resource(String name) {
        return TINY.resolve("../../text").resolve(name).normalize();
    }
}
