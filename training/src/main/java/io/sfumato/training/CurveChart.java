package io.sfumato.training;

import io.sfumato.image.Image;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The second column of a CSV file over the first, as a picture: every value above 0 in grey, their running mean in blue, on a log scale.
 */
public final class CurveChart {
    private static final int WIDTH = 800;
    private static final int HEIGHT = 400;
    private static final int LEFT = 70;
    private static final int RIGHT = 20;
    private static final int TOP = 20;
    private static final int BOTTOM = 40;
    private static final int TICKS = 7;
    /** Rows of three pixels. Machines without a display often have no fonts either. */
    private static final Map<Character, String> GLYPHS = Map.ofEntries(
            Map.entry('0', "111101101101111"), Map.entry('1', "010110010010111"), Map.entry('2', "111001111100111"),
            Map.entry('3', "111001111001111"), Map.entry('4', "101101111001001"), Map.entry('5', "111100111001111"),
            Map.entry('6', "111100111101111"), Map.entry('7', "111001010010010"), Map.entry('8', "111101111101111"),
            Map.entry('9', "111101111001111"), Map.entry('.', "000000000000010"), Map.entry('k', "100101110101101"));

    private final double[] steps;
    private final double[] values;
    private final double low;
    private final double high;

    private CurveChart(double[] steps, double[] values) {
        this.steps = steps;
        this.values = values;
        low = Arrays.stream(values).min().orElse(1) / 1.05;
        high = Arrays.stream(values).max().orElse(1) * 1.05;
    }

    /** Draws {@code csv} into the picture file {@code png}. */
    public static void draw(Path csv, Path png) {
        List<double[]> rows = new ArrayList<>();
        try {
            List<String> lines = Files.readAllLines(csv);
            for (String line : lines.subList(1, lines.size())) {
                String[] cells = line.split(",");
                double value = Double.parseDouble(cells[1]);
                if (value > 0 && value < Double.POSITIVE_INFINITY) {
                    rows.add(new double[] {Double.parseDouble(cells[0]), value});
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(csv + ": cannot be read: " + e.getMessage(), e);
        }
        new CurveChart(rows.stream().mapToDouble(r -> r[0]).toArray(), rows.stream().mapToDouble(r -> r[1]).toArray()).picture().write(png);
    }

    private Image picture() {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, WIDTH, HEIGHT);
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        axes(g);
        line(g, values, new Color(0xC0C0C0), 1);
        line(g, smooth(values), new Color(0x1F5FA8), 2);
        g.dispose();
        byte[] rgb = new byte[WIDTH * HEIGHT * 3];
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            int pixel = image.getRGB(i % WIDTH, i / WIDTH);
            rgb[3 * i] = (byte) (pixel >> 16);
            rgb[3 * i + 1] = (byte) (pixel >> 8);
            rgb[3 * i + 2] = (byte) pixel;
        }
        return Image.of(WIDTH, HEIGHT, 3, rgb);
    }

    private void axes(Graphics2D g) {
        for (double tick : ticks(0, lastStep())) {
            rule(g, (int) x(tick), TOP, (int) x(tick), HEIGHT - BOTTOM);
            text(g, label(tick), (int) x(tick) - 4 * label(tick).length(), HEIGHT - BOTTOM + 10);
        }
        for (double tick : high / low > 8 ? decades(low, high) : ticks(low, high)) {
            rule(g, LEFT, (int) y(tick), WIDTH - RIGHT, (int) y(tick));
            text(g, label(tick), LEFT - 10 - 8 * label(tick).length(), (int) y(tick) - 5);
        }
        g.setColor(Color.BLACK);
        g.drawRect(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    }

    private static void rule(Graphics2D g, int x1, int y1, int x2, int y2) {
        g.setColor(new Color(0xE8E8E8));
        g.drawLine(x1, y1, x2, y2);
        g.setColor(Color.BLACK);
    }

    private static void text(Graphics2D g, String text, int x, int y) {
        for (int i = 0; i < text.length(); i++) {
            String glyph = GLYPHS.get(text.charAt(i));
            for (int j = 0; j < glyph.length(); j++) {
                if (glyph.charAt(j) == '1') {
                    g.fillRect(x + 8 * i + 2 * (j % 3), y + 2 * (j / 3), 2, 2);
                }
            }
        }
    }

    private void line(Graphics2D g, double[] ys, Color colour, float width) {
        Path2D path = new Path2D.Double();
        for (int i = 0; i < ys.length; i++) {
            if (i == 0) {
                path.moveTo(x(steps[i]), y(ys[i]));
            }
            path.lineTo(x(steps[i]), y(ys[i]));
        }
        g.setColor(colour);
        g.setStroke(new BasicStroke(width));
        g.draw(path);
    }

    private double lastStep() {
        return steps.length == 0 ? 1 : Math.max(1, steps[steps.length - 1]);
    }

    private double x(double step) {
        return LEFT + (WIDTH - LEFT - RIGHT) * step / lastStep();
    }

    private double y(double value) {
        return TOP + (HEIGHT - TOP - BOTTOM) * Math.log(high / value) / Math.log(high / low);
    }

    /** The mean of each value and of those before it, as many as a fiftieth of all. */
    static double[] smooth(double[] values) {
        int window = Math.max(1, values.length / 50);
        double[] means = new double[values.length];
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += values[i] - (i >= window ? values[i - window] : 0);
            means[i] = sum / Math.min(i + 1, window);
        }
        return means;
    }

    /** Round numbers from {@code low} to {@code high}: at most {@link #TICKS}, one, two or five times a power of ten apart. */
    static List<Double> ticks(double low, double high) {
        double unit = Math.pow(10, Math.floor(Math.log10((high - low) / TICKS)));
        double gap = unit * (List.of(1, 2, 5, 10).stream().filter(m -> (high - low) / (m * unit) <= TICKS - 1).findFirst().orElse(10));
        List<Double> ticks = new ArrayList<>();
        for (long k = (long) Math.ceil(low / gap); k * gap <= high; k++) {
            ticks.add(k * gap);
        }
        return ticks;
    }

    /** One, two and five times each power of ten from {@code low} to {@code high}. */
    static List<Double> decades(double low, double high) {
        List<Double> ticks = new ArrayList<>();
        for (int power = (int) Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
            for (int m : new int[] {1, 2, 5}) {
                double tick = m * Math.pow(10, power);
                if (tick >= low && tick <= high) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }

    static String label(double tick) {
        if (tick >= 10000) {
            return label(tick / 1000) + "k";
        }
        return new BigDecimal(tick).round(new MathContext(4)).stripTrailingZeros().toPlainString();
    }
}
