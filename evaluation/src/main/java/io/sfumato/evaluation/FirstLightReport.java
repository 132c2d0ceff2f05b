package io.sfumato.evaluation;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What {@link FirstLight} measured.
 *
 * @param classifier    held-out scenes of one thing whose noun the classifier names
 * @param model         the model's pictures against their captions
 * @param real          real scenes of the same captions
 * @param shuffled      the model's pictures of one thing against each other's captions
 * @param modelDistance of the model's pictures to the nearest training scene
 * @param realDistance  of the real scenes of the same captions
 * @param references    training scenes that were looked through
 * @param captions      of the grid, row by row
 */
public record FirstLightReport(String name, Options options, Share classifier, SceneScores model, SceneScores real, Share shuffled,
                               Distances modelDistance, Distances realDistance, int references, List<String> captions) {

    /** Distances to the nearest training scene: see {@link NearestScenes} for the unit. */
    public record Distances(double least, double percentile5, double median) {
        static Distances of(double[] ascending) {
            return new Distances(ascending[0], ascending[ascending.length / 20], ascending[ascending.length / 2]);
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "least %.2f, 5th percentile %.2f, median %.2f", least, percentile5, median);
        }
    }

    void write(Path folder) {
        try {
            Files.writeString(folder.resolve("report.md"), markdown());
            Files.writeString(folder.resolve("report.json"), json() + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": the report cannot be written: " + e.getMessage(), e);
        }
    }

    /** The page. */
    public String markdown() {
        StringBuilder page = new StringBuilder("""
                # %s on held-out captions

                Drawn with %d steps of %s, guidance %s, %d x %d, seeds %d and on. Shares with their counts and 95%% intervals.
                Captions are those of held-out scenes; as the world is small, many of them caption some training scene too.
                The classifier sees pictures only; of held-out scenes of one thing it names %s.

                | | model | real scenes |
                |---|---|---|
                """.formatted(name, options.steps(), options.sampler(), options.guidance(), options.width(), options.height(),
                options.seed(), classifier));
        row(page, "one thing: the noun is recognised", model.recognised(), real.recognised());
        row(page, "one thing: and nothing else is seen", model.alone(), real.alone());
        row(page, "one thing, colour named: noun and colour", model.coloured(), real.coloured());
        row(page, "two things: both nouns", model.both(), real.both());
        row(page, "two things, sides named: both on their sides", model.sides(), real.sides());
        page.append("""

                Against each other's captions the model's pictures of one thing score %s.

                Distance to the nearest of %d training scenes (root mean square of values 0 to 255, at 16 x 16):

                - model: %s
                - real held-out scenes: %s

                ## By noun

                | noun | model | real scenes |
                |---|---|---|
                """.formatted(shuffled, references, modelDistance, realDistance));
        model.perNoun().forEach((noun, share) -> row(page, noun, share, real.perNoun().get(noun)));
        page.append("\n## The first pictures, in the order of their seeds\n\n![](grid.png)\n\n");
        for (int i = 0; i < captions.size(); i++) {
            page.append(i + 1).append(". ").append(captions.get(i)).append('\n');
        }
        return page.toString();
    }

    private static void row(StringBuilder page, String what, Share model, Share real) {
        page.append("| ").append(what).append(" | ").append(model).append(" | ").append(real).append(" |\n");
    }

    /** The same as one JSON object: shares as {hits, of, share, low, high}. */
    public String json() {
        ObjectNode all = new ObjectMapper().createObjectNode();
        all.put("benchmark", "first-light").put("model", name).put("steps", options.steps()).put("sampler", options.sampler())
                .put("guidance", options.guidance()).put("seed", options.seed());
        put(all, "classifier", classifier);
        put(all, "shuffled", shuffled);
        scores(all.putObject("drawn"), model, modelDistance);
        scores(all.putObject("real"), real, realDistance);
        all.put("references", references);
        return all.toPrettyString();
    }

    private static void scores(ObjectNode node, SceneScores scores, Distances distances) {
        put(node, "recognised", scores.recognised());
        put(node, "alone", scores.alone());
        put(node, "coloured", scores.coloured());
        put(node, "both", scores.both());
        put(node, "sides", scores.sides());
        node.putObject("distance").put("least", distances.least()).put("percentile5", distances.percentile5())
                .put("median", distances.median());
        ObjectNode nouns = node.putObject("nouns");
        for (Map.Entry<String, Share> noun : scores.perNoun().entrySet()) {
            put(nouns, noun.getKey(), noun.getValue());
        }
    }

    private static void put(ObjectNode node, String key, Share share) {
        node.putObject(key).put("hits", share.hits()).put("of", share.of()).put("share", share.value())
                .put("low", share.low()).put("high", share.high());
    }
}
