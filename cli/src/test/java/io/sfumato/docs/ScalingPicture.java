package io.sfumato.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * Draws docs/parti/scaling.png, from the project's folder: {@code ScalingPicture RUN...}, runs of {@code recipes/parti.yaml} of different
 * sizes, each with the {@code candidates.csv} of {@code evaluate --benchmark candidates} in it. Prints the numbers as a table.
 */
final class ScalingPicture {
    /** Last steps over which the loss is averaged. Training sees no scene twice, so it is the loss of new ones. */
    private static final int LAST = 50;

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
        Panels panels = new Panels(false);
        panels.add("loss, nats a code, against parameters", "%.2f", Panels::millions, points(sizes, Size::loss));
        panels.add("CLIPScore against parameters", "%.2f", Panels::millions, points(sizes, Size::score));
        panels.write(Path.of("docs", "parti", "scaling.png"));
    }

    private static List<Panels.Point> points(List<Size> sizes, ToDoubleFunction<Size> value) {
        return sizes.stream().map(s -> new Panels.Point(s.parameters, value.applyAsDouble(s), 0)).toList();
    }

    private static Size size(Path run) throws IOException {
        long parameters = Panels.parameters(run.resolve("model/transformer/model.safetensors"));
        List<String> steps = Files.readAllLines(run.resolve("transformer.csv"));
        double loss = steps.subList(steps.size() - LAST, steps.size()).stream().mapToDouble(line -> number(line, 1)).average().orElseThrow();
        String alone = Files.readAllLines(run.resolve("candidates.csv")).get(1);
        return new Size(parameters, loss, number(alone, 1), number(alone, 2));
    }

    private static double number(String line, int column) {
        return Double.parseDouble(line.split(",")[column]);
    }
}
