package io.sfumato.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Values over steps as an SVG picture: what the values of neighbouring steps span in grey, their running mean in blue; on a log scale where
 * all are positive and far apart.
 */
final class SvgCurve {
    private static final int WIDTH = 520;
    private static final int HEIGHT = 240;
    private static final int LEFT = 60;
    private static final int RIGHT = 10;
    private static final int TOP = 10;
    private static final int BOTTOM = 24;
    /** A picture of every step would be larger than the run's log. */
    private static final int POINTS = 400;
    private static final double LOG_FROM = 8;

    private final double[] steps;
    private final double[] values;
    private final boolean log;
    private final double low;
    private final double high;

    /** Values that are not finite are left out. */
    SvgCurve(double[] steps, double[] values) {
        int[] kept = IntStream.range(0, values.length).filter(i -> Double.isFinite(values[i])).toArray();
        this.steps = IntStream.of(kept).mapToDouble(i -> steps[i]).toArray();
        this.values = IntStream.of(kept).mapToDouble(i -> values[i]).toArray();
        double least = IntStream.of(kept).mapToDouble(i -> values[i]).min().orElse(0);
        double most = IntStream.of(kept).mapToDouble(i -> values[i]).max().orElse(1);
        log = least > 0 && most / least > LOG_FROM;
        double room = most > least ? 0.05 * (most - least) : Math.max(Math.abs(most), 1e-9);
        low = log ? least / 1.1 : least - room;
        high = log ? most * 1.1 : most + room;
    }

    String svg() {
        StringBuilder svg = new StringBuilder(String.format(Locale.ROOT,
                "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-size=\"11\" fill=\"none\">%n", WIDTH, HEIGHT, WIDTH, HEIGHT));
        for (double tick : CurveChart.ticks(0, last())) {
            rule(svg, x(tick), TOP, x(tick), HEIGHT - BOTTOM);
            text(svg, x(tick), HEIGHT - BOTTOM + 15, "middle", tick);
        }
        for (double tick : log ? CurveChart.decades(low, high) : CurveChart.ticks(low, high)) {
            rule(svg, LEFT, y(tick), WIDTH - RIGHT, y(tick));
            text(svg, LEFT - 6, y(tick) + 4, "end", tick);
        }
        svg.append(String.format(Locale.ROOT, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" stroke=\"#999\"/>%n", LEFT, TOP,
                WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM));
        lines(svg);
        return svg.append("</svg>\n").toString();
    }

    private void lines(StringBuilder svg) {
        double[] means = CurveChart.smooth(values);
        int points = Math.min(POINTS, values.length);
        List<String> span = new ArrayList<>(), back = new ArrayList<>(), mean = new ArrayList<>();
        for (int i = 0; i < points; i++) {
            int from = (int) ((long) values.length * i / points), to = (int) ((long) values.length * (i + 1) / points);
            span.add(point(steps[to - 1], IntStream.range(from, to).mapToDouble(j -> values[j]).max().orElseThrow()));
            back.add(0, point(steps[to - 1], IntStream.range(from, to).mapToDouble(j -> values[j]).min().orElseThrow()));
            mean.add(point(steps[to - 1], means[to - 1]));
        }
        span.addAll(back);
        svg.append("<polygon points=\"").append(String.join(" ", span)).append("\" fill=\"#ccc\" stroke=\"#ccc\"/>\n");
        svg.append("<polyline points=\"").append(String.join(" ", mean)).append("\" stroke=\"#1f5fa8\" stroke-width=\"1.5\"/>\n");
    }

    private static void rule(StringBuilder svg, double x1, double y1, double x2, double y2) {
        svg.append(String.format(Locale.ROOT, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#eee\"/>%n", x1, y1, x2, y2));
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, double tick) {
        svg.append(String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"#555\">%s</text>%n", x, y, anchor,
                CurveChart.label(tick)));
    }

    private String point(double step, double value) {
        return String.format(Locale.ROOT, "%.1f,%.1f", x(step), y(value));
    }

    private double last() {
        return steps.length == 0 ? 1 : Math.max(1, steps[steps.length - 1]);
    }

    private double x(double step) {
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last();
    }

    private double y(double value) {
        double share = log ? Math.log(high / value) / Math.log(high / low) : (high - value) / (high - low);
        return TOP + (HEIGHT - TOP - BOTTOM) * share;
    }
}
