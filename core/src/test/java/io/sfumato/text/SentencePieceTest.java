package io.sfumato.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ids and texts of sentencepiece 0.2.3. */
class SentencePieceTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static SentencePiece load(String model) {
        return SentencePiece.load(T5TokenizerTest.resource(model));
    }

    @ParameterizedTest
    @CsvSource({"t5/spiece.model, t5", "sentencepiece/botchan.model, botchan", "sentencepiece/odd.model, odd",
            "sentencepiece/suffix.model, suffix"})
    void equalsTheLibrary(String model, String cases) throws IOException {
        SentencePiece pieces = load(model);
        JsonNode rows = JSON.readTree(T5TokenizerTest.resource("sentencepiece/" + cases + "-cases.json").toFile());
        assertThat(rows.size()).isGreaterThanOrEqualTo(20);
        for (JsonNode row : rows) {
            int[] ids = JSON.convertValue(row.get("ids"), int[].class);
            assertThat(pieces.ids(row.get("text").asText())).as(row.get("text").toString()).isEqualTo(ids);
            assertThat(pieces.decode(ids)).as(row.get("text").toString()).isEqualTo(row.get("decoded").asText());
        }
    }

    @Test
    void equalsTheRecordedIdsOfSharedTexts() throws IOException {
        SentencePiece t5 = load("t5/spiece.model"), botchan = load("sentencepiece/botchan.model");
        for (String line : Files.readAllLines(T5TokenizerTest.resource("sentencepiece/texts.jsonl"))) {
            JsonNode row = JSON.readTree(line);
            int[] ids = JSON.convertValue(row.get("t5_ids"), int[].class);                           // with the end token
            assertThat(t5.ids(row.get("text").asText())).isEqualTo(Arrays.copyOf(ids, ids.length - 1));
            assertThat(botchan.ids(row.get("text").asText())).isEqualTo(JSON.convertValue(row.get("sp_test_ids"), int[].class));
        }
        assertThat(t5.size()).isEqualTo(32000);
        assertThat(t5.piece(8)).isEqualTo("▁the");
        assertThatThrownBy(() -> t5.piece(32000)).hasMessageEndingWith("has 0 to 31999");
    }

    @Test
    void aVeryLongWordIsQuick() {
        String letters = new Random(2).ints(300_000, 'a', 'z' + 1).collect(StringBuilder::new, StringBuilder::appendCodePoint,
                StringBuilder::append).toString();
        assertThat(load("t5/spiece.model").ids(letters)).hasSizeGreaterThan(100_000);
    }

    @Test
    void anEmptyPieceIsRefused() {
        byte[] model = {10, 7, 10, 0, 21, 0, 0, 0, 0, 10, 12, 10, 3, 'u', 'n', 'k', 21, 0, 0, 0, 0, 24, 2};
        assertThatThrownBy(() -> SentencePieceModel.parse(model, "x.model")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("x.model: one of its 2 pieces is empty: it is no SentencePiece model, or damaged");
    }

    @Test
    void namesWhatIsWrongWithAFile() throws IOException {
        Path missing = Path.of("nowhere.model");
        assertThatThrownBy(() -> SentencePiece.load(missing)).isInstanceOf(UncheckedIOException.class)
                .hasMessage("nowhere.model is missing; a SentencePiece model is wanted there");
        byte[] whole = Files.readAllBytes(T5TokenizerTest.resource("sentencepiece/odd.model"));
        for (int length : new int[] {1, 100, whole.length - 3}) {
            assertThatThrownBy(() -> SentencePieceModel.parse(Arrays.copyOf(whole, length), "cut.model"))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("cut.model").hasMessageNotContaining("\n");
        }
        assertThatThrownBy(() -> SentencePieceModel.parse("{\"no\": 1}".getBytes(), "some.json"))
                .hasMessageStartingWith("some.json is no SentencePiece model, or damaged: ");
        byte[] bpe = {0x12, 2, 0x18, 2};                                                              // trainer_spec { model_type: BPE }
        assertThatThrownBy(() -> SentencePieceModel.parse(bpe, "bpe.model")).hasMessage(
                "bpe.model: a SentencePiece model of the kind BPE; only unigram models can be used");
    }
}
