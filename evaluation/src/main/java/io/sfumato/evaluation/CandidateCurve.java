package io.sfumato.evaluation;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.Candidates;
import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.training.CurveChart;
import io.sfumato.training.Progress;
import io.sfumato.training.world.Scene;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What it brings to choose among several candidates (Ramesh et al. 2021, 2.6 and figure 6): by their number, the score of the chosen one in
 * the eyes of who chooses, and how often it is right in the eyes of a {@link Detector}, who does not.
 *
 * @param points for 1, 2, 4 candidates and so on, up to all
 */
public record CandidateCurve(List<Point> points) {
    /**
     * @param candidates to choose among
     * @param score      of the chosen one, the mean over captions and over all ways to have that many candidates of those drawn
     * @param right      share of captions that the chosen one shows in full, likewise
     */
    public record Point(int candidates, double score, double right) {
    }

    /** A candidate's score, and whether it shows all that the caption says. */
    record Drawn(double score, boolean right) {
    }

    /**
     * Draws {@code options.count()} candidates of each scene's caption.
     *
     * @param options how to draw; the candidates of caption i have seeds from {@code options.seed() + i * options.count()} on
     */
    public static CandidateCurve run(TextToImage model, Options options, List<Scene> scenes, Candidates.Scorer judge, Detector detector,
                                     Progress progress) {
        List<List<Drawn>> all = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            Scene scene = scenes.get(i);
            List<Candidates.Scored> ranked = Candidates.draw(model, Prompt.of(scene.caption()),
                    options.withSeed(options.seed() + (long) i * options.count()), judge, Listener.none());
            List<Image> images = ranked.stream().map(Candidates.Scored::image).toList();
            List<List<Detector.Detection>> found = detector.read(images).found();
            List<Drawn> drawn = new ArrayList<>();
            for (int j = 0; j < ranked.size(); j++) {
                drawn.add(new Drawn(ranked.get(j).score(), WorldScores.isRight(scene, found.get(j))));
            }
            all.add(drawn);
            progress.step("candidates", i + 1, scenes.size(), Double.NaN);
        }
        return of(all);
    }

    /** @param drawn for each caption its candidates, as many for each, the best first */
    static CandidateCurve of(List<List<Drawn>> drawn) {
        int most = drawn.get(0).size();
        List<Point> points = new ArrayList<>();
        for (int n = 1; n <= most; n = n < most ? Math.min(2 * n, most) : most + 1) {
            double score = 0, right = 0;
            for (List<Drawn> candidates : drawn) {
                // The chance that the candidate of rank i is the best of n out of all: C(all - 1 - i, n - 1) / C(all, n).
                double chance = (double) n / most;
                for (int i = 0; i <= most - n; i++) {
                    score += chance * candidates.get(i).score() / drawn.size();
                    right += chance * (candidates.get(i).right() ? 1 : 0) / drawn.size();
                    chance *= (double) (most - n - i) / (most - 1 - i);
                }
            }
            points.add(new Point(n, score, right));
        }
        return new CandidateCurve(points);
    }

    /** As one JSON object: an array of points. */
    public String json() {
        return new ObjectMapper().valueToTree(this).toString();
    }

    /** Writes {@code candidates.csv}, and {@code score.png} with the scores as a chart. */
    public void write(Path folder) {
        StringBuilder csv = new StringBuilder("candidates,score,right\n");
        points.forEach(p -> csv.append(String.format(Locale.ROOT, "%d,%.5f,%.4f%n", p.candidates, p.score, p.right)));
        Path file = folder.resolve("candidates.csv");
        try {
            Files.createDirectories(folder);
            Files.writeString(file, csv);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
        CurveChart.draw(file, folder.resolve("score.png"));
    }
}
