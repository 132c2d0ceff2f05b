package io.sfumato.training;

import io.sfumato.io.FileWrite;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A page on how a run goes: its stages, their curves, and what the model drew at each checkpoint. */
final class RunReport {
    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>%1$s</title><style>
            body {font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em; color: #222}
            table {border-collapse: collapse} td, th {padding: .2em 1em; border-bottom: 1px solid #ddd; text-align: right}
            td:first-child, th:first-child {text-align: left; padding-left: 0}
            .row {display: flex; flex-wrap: wrap; gap: 1em} figure {margin: 0} figcaption {color: #555; font-size: 90%%}
            img {max-width: 100%%; image-rendering: pixelated}
            </style></head><body>
            <h1>%1$s</h1>
            """;

    private RunReport() {
    }

    /** Writes {@code report.html} of what a run's log has, and of its pictures {@code samples*.png}. */
    static void write(Path run) {
        Map<String, List<StepLog.Line>> stages = StepLog.read(run).stream()
                .collect(Collectors.groupingBy(StepLog.Line::stage, LinkedHashMap::new, Collectors.toList()));
        StringBuilder html = new StringBuilder(HEAD.formatted(escaped(run.toAbsolutePath().normalize().getFileName().toString())));
        html.append("<table><tr><th>stage<th>steps<th>loss<th>seconds a step<th>minutes</tr>\n");
        stages.forEach((stage, lines) -> html.append(row(stage, lines)));
        html.append("</table>\n");
        List<Path> samples = samples(run);
        if (!samples.isEmpty()) {
            html.append("<h2>What it draws</h2>\n<div class=\"row\">\n");
            String figure = "<figure><img loading=\"lazy\" src=\"%s\" alt=\"\"><figcaption>%s</figcaption></figure>\n";
            samples.forEach(file -> html.append(figure.formatted(file.getFileName(), step(file) == 0 ? "now" : "step " + step(file))));
            html.append("</div>\n");
        }
        stages.forEach((stage, lines) -> html.append(curves(stage, lines)));
        FileWrite.whole(run.resolve("report.html"), html + "</body></html>\n");
    }

    private static String row(String stage, List<StepLog.Line> lines) {
        double[] losses = column(lines, "loss"), seconds = column(lines, "seconds");
        return String.format(Locale.ROOT, "<tr><td>%s<td>%d<td>%.4g<td>%.3g<td>%.1f</tr>%n", escaped(stage), lines.size(),
                CurveChart.smooth(losses)[losses.length - 1], Arrays.stream(seconds).average().orElse(0),
                Arrays.stream(seconds).sum() / 60);
    }

    private static String curves(String stage, List<StepLog.Line> lines) {
        Set<String> names = new LinkedHashSet<>(lines.get(0).values().keySet());
        names.remove("seconds");
        double[] steps = lines.stream().mapToDouble(StepLog.Line::step).toArray();
        return names.stream().map(name -> "<figure><figcaption>%s</figcaption>%n%s</figure>%n".formatted(escaped(name),
                new SvgCurve(steps, column(lines, name)).svg())).collect(Collectors.joining("", "<h2>" + escaped(stage)
                + "</h2>\n<div class=\"row\">\n", "</div>\n"));
    }

    private static double[] column(List<StepLog.Line> lines, String name) {
        return lines.stream().mapToDouble(line -> line.values().getOrDefault(name, Double.NaN)).toArray();
    }

    private static List<Path> samples(Path run) {
        try (Stream<Path> files = Files.list(run)) {
            return files.filter(file -> file.getFileName().toString().matches("samples(-\\d{1,18})?\\.png"))
                    .sorted(Comparator.comparingLong(RunReport::step)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(run + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static long step(Path file) {
        String digits = file.getFileName().toString().replaceAll("\\D", "");
        return digits.isEmpty() ? 0 : Long.parseLong(digits);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
