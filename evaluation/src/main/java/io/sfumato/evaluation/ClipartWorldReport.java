package io.sfumato.evaluation;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.Options;
import io.sfumato.image.Image;
import io.sfumato.training.world.Scene;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What {@link ClipartWorld} measured.
 *
 * @param drawn      scores of the model's pictures, by set of captions, and of pictures against each other's captions
 * @param real       scores of real scenes of the same captions
 * @param distance   Frechet distance of the model's pictures to held-out scenes, in the detector's features
 * @param floor      that of real scenes of the same captions
 * @param references scenes that pictures were compared with
 * @param pictures   all, in their order
 */
public record ClipartWorldReport(String name, Options options, Map<String, WorldScores> drawn, Map<String, WorldScores> real,
                                 double distance, double floor, int references, List<Picture> pictures) {
    private static final int SHOWN = 48;

    /** Picture {@code index} of a set: what was asked, what is seen in it, the training scene nearest to it. */
    record Picture(String set, int index, Scene asked, List<Detector.Detection> found, NearestScenes.Nearest nearest, Image scene) {
        String file() {
            return String.format(Locale.ROOT, "%s-%04d.png", set, index);
        }

        private String line() {
            ObjectNode line = new ObjectMapper().createObjectNode();
            line.put("file_name", file()).put("text", asked.caption()).put("all_correct", WorldScores.isRight(asked, found))
                    .put("nearest_seed", nearest.seed()).put("nearest_distance", nearest.distance());
            ArrayNode seen = line.putArray("seen");
            for (Detector.Detection d : found) {
                seen.addObject().put("noun", d.noun()).put("colour", d.colour().word()).put("score", d.score()).putArray("box")
                        .add(d.box().left()).add(d.box().top()).add(d.box().right()).add(d.box().bottom());
            }
            return line.toString();
        }
    }

    /** The scores as fractions: {@code {"one_kind": {"objects": 0.95, ...}, "two_kinds": ..., ...}}. */
    public String json() {
        ObjectNode root = new ObjectMapper().createObjectNode();
        for (String set : List.of(ClipartWorld.ONE, ClipartWorld.TWO, ClipartWorld.COMBINATIONS, ClipartWorld.SHUFFLED)) {
            WorldScores scores = drawn.get(set);
            ObjectNode node = root.putObject(set);
            node.put("objects", scores.objects().value()).put("colours", scores.colours().value()).put("counts", scores.counts().value());
            if (!set.equals(ClipartWorld.ONE)) {
                node.put("relations", scores.relations().value());
            }
            node.put("all_correct", scores.allCorrect().value());
        }
        return root.toPrettyString();
    }

    /**
     * Writes {@code report.html} beside the folder of pictures, the training scenes that it shows into it, the scores, and
     * {@code pictures.jsonl} with what was asked and seen of every picture.
     */
    public void write(Path folder) {
        try {
            for (Picture picture : shown()) {
                picture.scene().write(folder.resolve("pictures").resolve("near-" + picture.file()));
            }
            Files.writeString(folder.resolve("report.html"), html());
            Files.writeString(folder.resolve("report.json"), json() + "\n");
            Files.write(folder.resolve("pictures.jsonl"), pictures.stream().map(Picture::line).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": the report cannot be written: " + e.getMessage(), e);
        }
    }

    private List<Picture> shown() {
        return pictures.stream().filter(p -> p.index() < SHOWN / 4).toList();
    }

    private String html() {
        String rows = drawn.entrySet().stream().map(e -> row(e.getKey(), e.getValue(), "model")
                + (real.containsKey(e.getKey()) ? row("", real.get(e.getKey()), "real scenes") : "")).collect(Collectors.joining());
        double[] near = pictures.stream().mapToDouble(p -> p.nearest().distance()).sorted().toArray();
        return """
                <!doctype html><html lang="en"><meta charset="utf-8"><title>%1$s on clip-art world</title>
                <style>body{font:15px/1.5 system-ui;margin:2em auto;max-width:70em;padding:0 1em}table{border-collapse:collapse}
                td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:left}figure{display:inline-block;width:15em;margin:.6em;
                vertical-align:top}img{width:7em;image-rendering:auto;margin-right:.3em}.no{color:#b00}</style>
                <h1>%1$s on clip-art world</h1>
                <p>%2$s. Pictures are judged by a detector that does not see captions; shares with their counts and 95%% intervals. Real
                scenes of the same captions show how far the detector can be trusted, shuffled captions what chance scores.</p>
                <table><tr><th>captions</th><th></th><th>objects</th><th>colours</th><th>counts</th><th>relations</th>
                <th>all correct</th></tr>
                %3$s</table>
                <p>Frechet distance to %4$d held-out scenes in the detector's features: %5$.3f; of real scenes of the same captions:
                %6$.3f.<br>
                Distance to the nearest of %4$d training scenes (root mean square of values 0 to 255, at 16 x 16): least %7$.2f, median
                %8$.2f.</p>
                <h2>Pictures, each beside the nearest training scene</h2>
                %9$s</html>
                """.formatted(escaped(name), escaped(options.toString()), rows, references, distance, floor, near[0], near[near.length / 2],
                shown().stream().map(ClipartWorldReport::figure).collect(Collectors.joining("\n")));
    }

    private static String row(String set, WorldScores scores, String whose) {
        List<Share> shares = List.of(scores.objects(), scores.colours(), scores.counts(), scores.relations(), scores.allCorrect());
        return "<tr><td>" + set.replace('_', ' ') + "</td><td>" + whose + "</td>"
                + shares.stream().map(s -> "<td>" + (s.of() == 0 ? "" : s) + "</td>").collect(Collectors.joining()) + "</tr>\n";
    }

    private static String figure(Picture picture) {
        String seen = picture.found().stream().map(d -> d.colour().word() + " " + d.noun()).collect(Collectors.joining(", "));
        return "<figure><img src=\"pictures/" + picture.file() + "\"><img src=\"pictures/near-" + picture.file() + "\"><figcaption>"
                + (WorldScores.isRight(picture.asked(), picture.found()) ? "&#10003; " : "<span class=\"no\">&#10007;</span> ")
                + escaped(picture.asked().caption()) + "<br><small>seen: " + escaped(seen.isEmpty() ? "nothing" : seen)
                + "</small></figcaption></figure>";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
