package io.sfumato.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The shipped vocabulary of OpenAI's CLIP; the cases were made with transformers 5.23.0 and tokenizers 0.23.3 (letters of Unicode 13). */
class PublishedClipVocabularyTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ClipTokenizer tokenizer = published();

    @Test
    void givesTheIdsAndTextsOfTransformers() throws IOException {
        JsonNode cases = JSON.readTree(PublishedClipVocabularyTest.class.getResource("/text/clip-cases.json"));
        assertThat(cases.size()).isGreaterThan(150);
        for (JsonNode row : cases) {
            int[] ids = JSON.convertValue(row.get("ids"), int[].class);
            assertThat(tokenizer.ids(row.get("text").asText())).as(row.get("text").toString()).isEqualTo(ids);
            assertThat(tokenizer.decode(ids)).isEqualTo(row.get("decoded").asText());
        }
    }

    @Test
    void hasTheSizesOfThePublishedModels() {
        assertThat(tokenizer.vocabSize()).isEqualTo(49408);
        assertThat(tokenizer.bosId()).isEqualTo(49406);
        assertThat(tokenizer.eosId()).isEqualTo(49407);
        assertThat(tokenizer.padId()).isEqualTo(49407);
        assertThat(tokenizer.maxLength()).isEqualTo(77);
        assertThat(tokenizer.encode("a photo of a cat").ids()).startsWith(49406, 320, 1125, 539, 320, 2368, 49407, 49407).hasSize(77);
        assertThat(tokenizer.withPadding("!").encode("a photo of a cat").ids()).startsWith(49406, 320, 1125, 539, 320, 2368, 49407, 0);
    }

    private static ClipTokenizer published() {
        try (var gzip = ClipTokenizer.class.getResourceAsStream("/io/sfumato/clip/bpe_simple_vocab_16e6.txt.gz")) {
            return ClipTokenizer.fromMerges(gzip);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
