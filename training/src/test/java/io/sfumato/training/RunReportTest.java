package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** The log of a run and the page made of it. */
class RunReportTest {
    @TempDir
    Path temp;

    private void log(String stage, long from, long to) {
        try (StepLog log = new StepLog(new Run(temp, (s, done, total, loss) -> { }), stage, from)) {
            for (long step = from; step < to; step++) {
                log.add(step, Map.of("loss", 1 / (1.0 + step), "seconds", 0.5));
            }
        }
    }

    @Test
    void aResumedRunTakesBackWhatCameAfterItsCheckpointOfThatStageOnly() throws IOException {
        log("first", 0, 7);
        log("second", 0, 5);
        Files.writeString(temp.resolve("log.jsonl"), "{\"stage\":\"second\",\"st", StandardOpenOption.APPEND);    // torn off
        log("second", 3, 4);
        List<StepLog.Line> lines = StepLog.read(temp);
        assertThat(lines.stream().map(line -> line.stage() + line.step())).containsExactly("first0", "first1", "first2", "first3", "first4",
                "first5", "first6", "second0", "second1", "second2", "second3");
        assertThat(lines.get(1).values()).containsOnly(Map.entry("loss", 0.5), Map.entry("seconds", 0.5));
        try (Stream<Path> files = Files.list(temp.resolve("tensorboard/second"))) {
            assertThat(files).allMatch(file -> file.getFileName().toString().matches("events\\.out\\.tfevents\\.\\d+\\.sfumato"));
        }
    }

    @Test
    void tellsStagesCurvesAndPictures() throws Exception {
        log("diffusion", 0, 1000);
        for (int step : new int[] {500, 1000, 50}) {
            Image.filled(8, 8, 0x336699).write(temp.resolve("samples-" + step + ".png"));
        }
        RunReport.write(temp);
        String html = Files.readString(temp.resolve("report.html"));
        assertThat(html).containsSubsequence("<td>diffusion<td>1000<td>0.001010<td>0.500<td>8.3</tr>", "samples-50.png", "step 50<",
                "samples-500.png", "samples-1000.png", "step 1000", "<h2>diffusion</h2>", "<figcaption>loss</figcaption>");
        assertThat(html).doesNotContain("<figcaption>seconds");
        var svg = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL).matcher(html);
        assertThat(svg.find()).isTrue();
        var picture = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg.group())));
        String[] points = picture.getElementsByTagName("polyline").item(0).getAttributes().getNamedItem("points").getNodeValue().split(" ");
        assertThat(points).hasSize(400);
        // From the top left to the bottom right, on a log scale: 1000 steps, each 1 / (1 + step).
        double[] first = numbers(points[0]), last = numbers(points[399]);
        assertThat(last[0]).isEqualTo(510);
        assertThat(first[0]).isBetween(60.0, 62.0);
        assertThat(first[1]).isLessThan(40);
        assertThat(last[1]).isBetween(205.0, 216.0);
    }

    private static double[] numbers(String point) {
        return Stream.of(point.split(",")).mapToDouble(Double::parseDouble).toArray();
    }

    @Test
    void valuesThatAreEqualOrNotFiniteAreACurveToo() {
        assertThat(new SvgCurve(new double[] {0, 1, 2}, new double[] {5, 5, Double.NaN}).svg()).contains("60.0,", "510.0,")
                .doesNotContain("NaN");
        assertThat(new SvgCurve(new double[0], new double[0]).svg()).contains("<polyline points=\"\"");
        assertThat(new SvgCurve(new double[] {0, 9}, new double[] {-3, 8}).svg()).contains(">0<", ">5<");
    }
}
