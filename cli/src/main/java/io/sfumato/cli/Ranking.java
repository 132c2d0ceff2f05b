package io.sfumato.cli;

import io.sfumato.Candidates;
import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.TextToImage;
import io.sfumato.Wish;
import io.sfumato.families.ClipScore;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** More pictures than are wanted, of which a CLIP chooses. */
final class Ranking {
    private List<Integer> candidates = List.of();
    private List<Path> judge = List.of();

    @Option(order = 64, names = "--candidates", paramLabel = "N",
            description = "draw N pictures and write the best --count of them by --judge")
    private void candidates(int n) {
        candidates = List.of(n);
    }

    @Option(order = 65, names = "--judge", paramLabel = "PATH",
            description = "a CLIP of both towers, a folder or OpenAI's file: ranks --candidates by CLIPScore")
    private void judge(Path clip) {
        judge = List.of(clip);
    }

    boolean isAsked() {
        return !candidates.isEmpty() || !judge.isEmpty();
    }

    /** @throws IllegalArgumentException where candidates cannot be drawn as the command line says */
    void check(Options o, boolean alone) {
        if (isAsked() && (candidates.isEmpty() || judge.isEmpty())) {
            throw new IllegalArgumentException("--candidates and --judge go together: " + (judge.isEmpty() ? "a CLIP to judge by"
                    : "the number of candidates") + " is wanted");
        }
        if (isAsked() && candidates.get(0) < o.count()) {
            throw new IllegalArgumentException("candidates must be at least the " + o.count() + " pictures of --count, not "
                    + candidates.get(0));
        }
        if (isAsked() && !alone) {
            throw new IllegalArgumentException("--candidates are of one prompt, in one pass and without a trace: neither --prompts nor"
                    + " --hires-scale nor --trace can be given");
        }
    }

    /** The best {@code options.count()} pictures of a wish, the best first. */
    List<Candidates.Scored> best(TextToImage drawer, Wish wish, Listener listener) {
        try (ClipScore clip = ClipScore.load(judge.get(0))) {
            return Candidates.draw(drawer, wish.prompt(), wish.options().withCount(candidates.get(0)),
                    (prompt, image) -> clip.score(image, prompt.text()), listener).subList(0, wish.options().count());
        }
    }
}
