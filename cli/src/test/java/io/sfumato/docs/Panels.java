package io.sfumato.docs;

import io.sfumato.io.SafeTensors;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import javax.imageio.ImageIO;

/** Small charts side by side: values against sizes on a scale of equal ratios, a line for each series. */
final class Panels {
    private static final int WIDTH = 330;
    private static final int HEIGHT = 260;
    private static final int MARGIN = 46;
    private static final Color[] COLOURS = {new Color(0x1F5FA8), new Color(0xC8641E)};

    /** @param series joined by a line of one colour, 0 or 1 */
    record Point(double x, double value, int series) { }

    private record Panel(String title, String format, DoubleFunction<String> label, List<Point> points) { }

    private final List<Panel> panels = new ArrayList<>();
    private final boolean alike;

    /** @param alike whether all have one vertical scale */
    Panels(boolean alike) {
        this.alike = alike;
    }

    /**
     * @param format of values
     * @param label  of places on the horizontal axis
     */
    void add(String title, String format, DoubleFunction<String> label, List<Point> points) {
        panels.add(new Panel(title, format, label, points));
    }

    /** How many parameters a file of weights has. */
    static long parameters(Path weights) {
        try (SafeTensors file = SafeTensors.open(weights)) {
            return file.names().stream().mapToLong(name -> Arrays.stream(file.shape(name)).reduce(1, (a, b) -> a * b)).sum();
        }
    }

    /** A number of parameters. */
    static String millions(double parameters) {
        return String.format(Locale.ROOT, "%.1f M", parameters / 1e6);
    }

    void write(Path png) throws IOException {
        var sheet = new BufferedImage(panels.size() * WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = sheet.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, sheet.getWidth(), HEIGHT);
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        for (int i = 0; i < panels.size(); i++) {
            draw(g, i * WIDTH, panels.get(i));
        }
        ImageIO.write(sheet, "png", png.toFile());
    }

    private void draw(Graphics2D g, int left, Panel panel) {
        Predicate<Panel> shown = each -> alike || each == panel;
        double low = all(shown, Point::value).min().orElseThrow(), high = all(shown, Point::value).max().orElseThrow();
        double first = Math.log(all(each -> each == panel, Point::x).min().orElseThrow());
        double last = Math.log(all(each -> each == panel, Point::x).max().orElseThrow());
        g.setColor(Color.DARK_GRAY);
        g.drawString(panel.title, left + MARGIN, 18);
        g.drawRect(left + MARGIN, 28, WIDTH - MARGIN - 34, HEIGHT - 28 - 34);
        List<Integer> labelledX = new ArrayList<>(), labelledY = new ArrayList<>();
        int lastX = 0, lastY = 0, series = -1;
        for (Point point : panel.points) {
            int x = left + MARGIN + 14 + (int) ((Math.log(point.x) - first) / (last - first) * (WIDTH - MARGIN - 62));
            int y = 42 + (int) ((high - point.value) / (high - low) * (HEIGHT - 90));
            g.setColor(COLOURS[point.series]);
            g.setStroke(new BasicStroke(2));
            if (point.series == series) {
                g.drawLine(lastX, lastY, x, y);
            }
            g.fillOval(x - 4, y - 4, 9, 9);
            g.setColor(Color.DARK_GRAY);
            g.setStroke(new BasicStroke(1));
            if (isFree(labelledY, y, 12)) {
                g.drawString(String.format(Locale.ROOT, panel.format, point.value), left + 12, y + 4);
            }
            if (isFree(labelledX, x, 36)) {
                g.drawString(panel.label.apply(point.x), x - 14, HEIGHT - 18);
            }
            lastX = x;
            lastY = y;
            series = point.series;
        }
    }

    /** Takes the place of a label, unless one within {@code room} pixels is taken. */
    private static boolean isFree(List<Integer> taken, int place, int room) {
        return taken.stream().allMatch(other -> Math.abs(other - place) >= room) && taken.add(place);
    }

    private DoubleStream all(Predicate<Panel> shown, ToDoubleFunction<Point> of) {
        return panels.stream().filter(shown).flatMap(panel -> panel.points.stream()).mapToDouble(of);
    }
}
