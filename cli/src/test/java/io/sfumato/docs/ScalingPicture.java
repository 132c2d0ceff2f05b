package io.sfumato.docs;

import io.sfumato.io.SafeTensors;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/**
 * Draws docs/parti/scaling.png, from the project's folder: {@code ScalingPicture RUN...}, runs of {@code recipes/parti.yaml} of different
 * sizes, each with the {@code candidates.csv} of {@code evaluate --benchmark candidates} in it. Prints the numbers as a table.
 */
final class ScalingPicture {
    /** Last steps over which the loss is averaged. Training sees no scene twice, so it is the loss of new ones. */
    private static final int LAST = 50;
    private static final int WIDTH = 330;
    private static final int HEIGHT = 260;
    private static final int MARGIN = 46;

    /** @param loss in nats a code */
    private record Size(long parameters, double loss, double score, double right) { }

    private ScalingPicture() {
    }

    public static void main(String[] args) throws IOException {
        List<Size> sizes = new ArrayList<>();
        for (String run : args) {
            sizes.add(size(Path.of(run)));
        }
        for (Size s : sizes) {
            System.out.printf(Locale.ROOT, "| %,d | %.3f | %.2f | %.1f%% |%n", s.parameters, s.loss, s.score, 100 * s.right);
        }
        var sheet = new BufferedImage(2 * WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = sheet.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, sheet.getWidth(), HEIGHT);
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        double[] parameters = sizes.stream().mapToDouble(Size::parameters).toArray();
        panel(g, 0, "loss, nats a code, against parameters", parameters, sizes.stream().mapToDouble(Size::loss).toArray());
        panel(g, WIDTH, "CLIPScore against parameters", parameters, sizes.stream().mapToDouble(Size::score).toArray());
        ImageIO.write(sheet, "png", Path.of("docs", "parti", "scaling.png").toFile());
    }

    private static Size size(Path run) throws IOException {
        long parameters;
        try (SafeTensors file = SafeTensors.open(run.resolve("model/transformer/model.safetensors"))) {
            parameters = file.names().stream().mapToLong(name -> Arrays.stream(file.shape(name)).reduce(1, (a, b) -> a * b)).sum();
        }
        List<String> steps = Files.readAllLines(run.resolve("transformer.csv"));
        double loss = steps.subList(steps.size() - LAST, steps.size()).stream().mapToDouble(line -> number(line, 1)).average().orElseThrow();
        String alone = Files.readAllLines(run.resolve("candidates.csv")).get(1);
        return new Size(parameters, loss, number(alone, 1), number(alone, 2));
    }

    private static double number(String line, int column) {
        return Double.parseDouble(line.split(",")[column]);
    }

    /** Points joined by lines, the horizontal axis in equal ratios. */
    private static void panel(Graphics2D g, int left, String title, double[] x, double[] y) {
        double low = Arrays.stream(y).min().orElseThrow();
        double high = Arrays.stream(y).max().orElseThrow();
        double first = Math.log(x[0]), last = Math.log(x[x.length - 1]);
        g.setColor(Color.DARK_GRAY);
        g.drawString(title, left + MARGIN, 18);
        g.drawRect(left + MARGIN, 28, WIDTH - MARGIN - 34, HEIGHT - 28 - 34);
        int lastX = 0, lastY = 0;
        for (int i = 0; i < x.length; i++) {
            int px = left + MARGIN + 14 + (int) ((Math.log(x[i]) - first) / (last - first) * (WIDTH - MARGIN - 62));
            int py = 42 + (int) ((high - y[i]) / (high - low) * (HEIGHT - 90));
            g.setColor(new Color(0x1F5FA8));
            g.setStroke(new BasicStroke(2));
            if (i > 0) {
                g.drawLine(lastX, lastY, px, py);
            }
            g.fillOval(px - 4, py - 4, 9, 9);
            g.setColor(Color.DARK_GRAY);
            g.setStroke(new BasicStroke(1));
            g.drawString(String.format(Locale.ROOT, "%.2f", y[i]), left + 12, py + 4);
            g.drawString(String.format(Locale.ROOT, "%.1f M", x[i] / 1e6), px - 14, HEIGHT - 18);
            lastX = px;
            lastY = py;
        }
    }
}
