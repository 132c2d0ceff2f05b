package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.image.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.assertj.core.data.Index;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The CSV of a run and its chart. */
class CurveTest {
    @TempDir
    Path folder;

    private void write(long from, long to) {
        try (Curve curve = new Curve(folder.resolve("c.csv"), from, "step", "loss")) {
            for (long step = from; step < to; step++) {
                curve.add(step, 1 / (1.0 + step));
            }
        }
    }

    @Test
    void aResumedRunTakesBackWhatCameAfterItsCheckpoint() throws IOException {
        write(0, 7);
        Files.writeString(folder.resolve("c.csv"), "7,0.1", StandardOpenOption.APPEND);    // torn off
        write(4, 6);
        assertThat(Files.readAllLines(folder.resolve("c.csv"))).containsExactly("step,loss", "0,1.00000", "1,0.500000", "2,0.333333",
                "3,0.250000", "4,0.200000", "5,0.166667");
    }

    @Test
    void aRunFromTheStartForgetsAnOlderOne() throws IOException {
        write(0, 7);
        write(0, 1);
        assertThat(Files.readAllLines(folder.resolve("c.csv"))).hasSize(2);
    }

    @Test
    void theChartFallsAsTheLossDoes() {
        write(0, 400);
        CurveChart.draw(folder.resolve("c.csv"), folder.resolve("c.png"));
        Image chart = Image.read(folder.resolve("c.png"));
        assertThat(chart.width()).isEqualTo(800);
        assertThat(blue(chart, 120)).isLessThan(blue(chart, 300));
        assertThat(blue(chart, 300)).isLessThan(blue(chart, 700));
    }

    // The highest place of the smoothed line in column x.
    private static int blue(Image chart, int x) {
        for (int y = 0; y < chart.height(); y++) {
            if (chart.at(x, y, 2) - chart.at(x, y, 0) > 60) {
                return y;
            }
        }
        throw new AssertionError("no line at x = " + x);
    }

    @Test
    void oneRowOrNoneIsAChartToo() throws IOException {
        write(0, 1);
        CurveChart.draw(folder.resolve("c.csv"), folder.resolve("one.png"));
        Files.writeString(folder.resolve("c.csv"), "step,loss\n0,NaN\n");
        CurveChart.draw(folder.resolve("c.csv"), folder.resolve("none.png"));
        assertThat(Image.read(folder.resolve("none.png")).height()).isEqualTo(Image.read(folder.resolve("one.png")).height());
    }

    @Test
    void ticksAreRoundNumbers() {
        assertThat(CurveChart.ticks(0, 12000)).containsExactly(0.0, 2000.0, 4000.0, 6000.0, 8000.0, 10000.0, 12000.0);
        assertThat(CurveChart.ticks(0.31, 0.38)).hasSizeBetween(3, 8);
        assertThat(CurveChart.decades(0.015, 3)).containsExactly(0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0);
    }

    @Test
    void smoothingIsTheMeanOfTheLastFiftieth() {
        double[] values = new double[100];
        values[10] = 6;
        assertThat(CurveChart.smooth(values)).contains(3, Index.atIndex(10)).contains(3,
                Index.atIndex(11)).contains(0, Index.atIndex(12));
    }
}
