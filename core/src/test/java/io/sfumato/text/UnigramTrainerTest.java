package io.sfumato.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnigramTrainerTest {
    @TempDir
    private Path folder;

    private SentencePiece learn(int pieces, Stream<String> captions) {
        Path file = folder.resolve("spiece.model");
        new UnigramTrainer(pieces).train(captions, file);
        return SentencePiece.load(file);
    }

    /** learnt-cases.json: what sentencepiece 0.2.3 makes of the captions with the model that the trainer wrote ({@code learnt.py}). */
    @Test
    void theLibraryReadsTheSameIds() throws IOException {
        List<String> captions = captions();
        SentencePiece learnt = learn(150, captions.stream());
        ObjectMapper json = new ObjectMapper();
        JsonNode cases = json.readTree(UnigramTrainerTest.class.getResource("/text/sentencepiece/learnt-cases.json"));
        assertThat(learnt.size()).isEqualTo(cases.get("size").asInt()).isEqualTo(150);
        assertThat(cases.get("ids")).hasSize(captions.size());
        for (int i = 0; i < captions.size(); i++) {
            int[] ids = json.convertValue(cases.get("ids").get(i), int[].class);
            assertThat(learnt.ids(captions.get(i))).as(captions.get(i)).isEqualTo(ids);
            assertThat(learnt.decode(ids)).isEqualTo(smallLetters(captions.get(i)));
        }
    }

    private static String smallLetters(String text) {
        return text.chars().map(c -> c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c).collect(StringBuilder::new, StringBuilder::appendCodePoint,
                StringBuilder::append).toString();
    }

    @Test
    void frequentWordsBecomeOnePiece() throws IOException {
        SentencePiece learnt = learn(40, Stream.generate(() -> "A Red apple and a red house").limit(20));
        assertThat(pieces(learnt, "a RED  apple")).containsExactly("▁a", "▁red", "▁apple");
        assertThat(pieces(learnt, "red pear")).containsExactly("▁red", "▁", "p", "e", "a", "r");
        assertThat(pieces(learnt, "x")).containsExactly("▁", "<unk>");
        assertThat(List.of(learnt.piece(0), learnt.piece(1), learnt.piece(2))).containsExactly("<unk>", "<s>", "</s>");
    }

    private static List<String> pieces(SentencePiece model, String text) {
        return IntStream.of(model.ids(text)).mapToObj(model::piece).toList();
    }

    @Test
    void theOrderOfTheCaptionsDoesNotMatter() throws IOException {
        var captions = new ArrayList<>(captions());
        Path one = folder.resolve("one"), two = folder.resolve("two");
        new UnigramTrainer(120).train(captions.stream(), one);
        Collections.shuffle(captions, new Random(7));
        new UnigramTrainer(120).train(captions.stream(), two);
        assertThat(two).hasSameBinaryContentAs(one);
        assertThat(SentencePiece.load(one).size()).isEqualTo(120);
    }

    @Test
    void aModelIsWrittenAsItWasRead() {
        for (String name : List.of("odd", "suffix", "botchan")) {
            SentencePieceModel model = SentencePieceModel.read(T5TokenizerTest.resource("sentencepiece/" + name + ".model"));
            model.write(folder.resolve("again"));
            assertThat(SentencePieceModel.read(folder.resolve("again"))).usingRecursiveComparison().ignoringFields("source")
                    .isEqualTo(model);
        }
    }

    @Test
    void refusesVocabulariesThatCannotBe() {
        assertThatIllegalArgumentException().isThrownBy(() -> new UnigramTrainer(3))
                .withMessage("a vocabulary of 3 pieces is too small; 3 are fixed");
        assertThatIllegalArgumentException().isThrownBy(() -> learn(7, Stream.of("abc", "de")))
                .withMessage("a vocabulary of 7 pieces is too small; the captions have 6 characters, and 3 pieces are fixed");
    }

    private static List<String> captions() throws IOException {
        try (var in = UnigramTrainerTest.class.getResourceAsStream("/text/captions.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }
}
