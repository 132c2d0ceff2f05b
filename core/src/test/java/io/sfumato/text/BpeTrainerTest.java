package io.sfumato.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {
    @TempDir
    private Path folder;

    /** captions-ids.json: what transformers 5.23.0 makes of the captions with the folder that the trainer wrote. */
    @Test
    void transformersReadsTheSameIds() throws IOException {
        List<String> captions = captions();
        new BpeTrainer(700, 32).train(captions.stream(), folder);
        ClipTokenizer tokenizer = ClipTokenizer.load(folder);
        int[][] ids = new ObjectMapper().readValue(BpeTrainerTest.class.getResource("/text/captions-ids.json"), int[][].class);
        assertThat(ids.length).isEqualTo(200);
        for (int i = 0; i < ids.length; i++) {
            assertThat(tokenizer.ids(captions.get(i))).as(captions.get(i)).isEqualTo(ids[i]);
        }
        assertThat(List.of(tokenizer.vocabSize(), tokenizer.bosId(), tokenizer.eosId(), tokenizer.padId(), tokenizer.maxLength()))
                .containsExactly(694, 692, 693, 693, 32);
    }

    @Test
    void readsBackWhatItLearned() throws IOException {
        new BpeTrainer(600, 77).train(captions().stream(), folder);
        ClipTokenizer tokenizer = ClipTokenizer.load(folder);
        assertThat(tokenizer.vocabSize()).isEqualTo(600);
        for (String text : List.of("a photo of a small cat", "the naïve lighthouse on top of a teapot", "猫 train 🎨", "unseen words")) {
            assertThat(tokenizer.decode(tokenizer.ids(text))).isEqualTo(text);
        }
        assertThat(tokenizer.ids("a photo of")).hasSizeLessThan("aphotoof".length());
    }

    @Test
    void learnsTheMostFrequentPairFirst() throws IOException {
        new BpeTrainer(518, 77).train(Stream.of("abab abab", "abc abc", "xy"), folder);
        assertThat(Files.readAllLines(folder.resolve("merges.txt")))
                .containsExactly("#version: 0.2", "a b", "a b</w>", "ab c</w>", "ab ab</w>");
    }

    @Test
    void theOrderOfTheCaptionsDoesNotMatter() throws IOException {
        var captions = new ArrayList<>(captions());
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        new BpeTrainer(650, 77).train(captions.stream(), one);
        Collections.shuffle(captions, new Random(7));
        new BpeTrainer(650, 77).train(captions.stream(), two);
        for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")) {
            assertThat(two.resolve(file)).hasSameBinaryContentAs(one.resolve(file));
        }
    }

    @Test
    void withoutCaptionsThereAreTheByteLetters() {
        new BpeTrainer(1000, 77).train(Stream.empty(), folder);
        ClipTokenizer tokenizer = ClipTokenizer.load(folder);
        assertThat(tokenizer.vocabSize()).isEqualTo(514);
        assertThat(tokenizer.decode(tokenizer.ids("any text"))).isEqualTo("any text");
    }

    @Test
    void refusesSizesThatCannotBe() {
        assertThatThrownBy(() -> new BpeTrainer(513, 77)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a vocabulary of 513 tokens is too small; the byte letters and special tokens are 514");
        assertThatThrownBy(() -> new BpeTrainer(600, 2)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a prompt of 2 ids is too short; start token, end token and text need 3 or more");
    }

    @Test
    void namesAFolderThatCannotBe() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> new BpeTrainer(514, 77).train(Stream.empty(), file)).isInstanceOf(UncheckedIOException.class)
                .hasMessageStartingWith("the tokenizer cannot be written to " + file + ": ");
    }

    private static List<String> captions() throws IOException {
        try (var in = BpeTrainerTest.class.getResourceAsStream("/text/captions.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }
}
