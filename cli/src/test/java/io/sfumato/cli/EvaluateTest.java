package io.sfumato.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class EvaluateTest {
    @TempDir
    Path temp;

    private String refusal(String... args) {
        StringWriter err = new StringWriter();
        int code = new CommandLine(new Evaluate()).setErr(new PrintWriter(err)).execute(args);
        assertThat(code).isEqualTo(2);
        return err.toString().lines().findFirst().orElse("");
    }

    @Test
    void refusesAnUnknownBenchmark() {
        assertThat(refusal("--benchmark", "coco", "--output", temp.toString()))
                .isEqualTo("unknown benchmark 'coco': use first-light, clipart-world, candidates, retrieval");
    }

    @Test
    void refusesACountOfNothing() {
        assertThat(refusal("--benchmark", "first-light", "--count", "0", "--output", temp.toString()))
                .isEqualTo("count must be at least 1, not 0");
    }

    @Test
    void wantsAnOutput() {
        assertThat(refusal("--benchmark", "first-light")).contains("--output");
    }

    @Test
    void wantsAFolderForTheScores() {
        Path file = temp.resolve("nowhere/scores.json");
        assertThat(refusal("--benchmark", "clipart-world", "--json", file.toString())).isEqualTo(file + ": there is no folder "
                + file.getParent());
    }

    @Test
    void refusesShortcutsThatAreNone() {
        assertThat(refusal("--benchmark", "clipart-world", "--deep-cache", "0")).isEqualTo("deep cache must be 1 (none) to 1000, not 0");
    }

    @Test
    void wantsEnoughCaptions() {
        assertThat(refusal("--benchmark", "clipart-world", "--count", "7"))
                .isEqualTo("count 7, references 4000: at least 8 captions and 2 references are wanted");
    }

    @Test
    void wantsAJudgeOfCandidates() {
        assertThat(refusal("--benchmark", "candidates", "--output", temp.toString()))
                .isEqualTo("candidates needs --judge, an --output folder and 2 or more --candidates");
    }

    @Test
    void findsPicturesAndCaptions() throws IOException {
        assertThat(refusal("--benchmark", "retrieval")).isEqualTo("retrieval needs --judge, a CLIP");
        Path clip = Path.of("../models/src/test/resources/golden/clip/model_gelu");
        Ran ran = Ran.command("evaluate", "--benchmark", "retrieval", "--count", 12, "--nouns", "apple,duck,heart,house", "--judge", clip,
                "--json");
        assertThat(ran.code()).as(ran.err()).isZero();
        JsonNode scores = new ObjectMapper().readTree(ran.out());
        assertThat(scores.get("scenes").asInt()).isBetween(2, 12);
        assertThat(scores.get("textOfPicture").get("at10").asDouble()).isBetween(0.5, 1.0);
    }

    @Test
    void writesTheCurveOfCandidates() throws IOException {
        Path clip = Path.of("../models/src/test/resources/golden/clip/model_gelu");
        Ran ran = Ran.command("evaluate", "--benchmark", "candidates", "--count", 8, "--candidates", 2, "--nouns", "apple,duck,heart,house",
                "--judge", clip, "--output", temp, "--quiet", "--model", Ran.MODEL);
        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(Files.readAllLines(temp.resolve("candidates.csv"))).hasSize(3).first().isEqualTo("candidates,score,right");
    }

    @Test
    void writesTheScoresOfClipartWorld() throws IOException {
        Path json = temp.resolve("scores.json");
        Ran ran = Ran.command("evaluate", "--benchmark", "clipart-world", "--count", 8, "--seed", 5, "--nouns", "apple,duck,heart,house",
                "--json", json, "--quiet", "--model", Ran.MODEL);
        assertThat(ran.code()).as(ran.err()).isZero();
        JsonNode scores = new ObjectMapper().readTree(Files.readString(json));
        assertThat(List.of("one_kind", "two_kinds", "unseen_combinations", "shuffled")).allMatch(scores::has);
        assertThat(scores.get("one_kind").get("all_correct").isDouble()).isTrue();
        assertThat(Ran.names(temp)).containsExactly("scores.json");
    }
}
