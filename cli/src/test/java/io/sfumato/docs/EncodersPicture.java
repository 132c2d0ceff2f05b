package io.sfumato.docs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.families.MiniLm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Draws docs/encoders/sizes.png and frozen.png, from the project's folder: {@code EncodersPicture RUN...}, runs of
 * {@code recipes/encoders.yaml} with other layers of the frozen text encoder, other widths of the U-Net, or a text encoder that is trained,
 * each with the {@code scores.json} of {@code evaluate --json} in it. Prints the numbers as a table.
 */
final class EncodersPicture {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Last steps over which the loss is averaged. */
    private static final int LAST = 500;
    private static final List<String> SETS = List.of("one_kind", "unseen_combinations");

    /** @param losses the mean of every {@value #LAST} steps, of the same scenes, noise and times in every run */
    private record Trained(boolean frozen, long textParameters, long unetParameters, List<Double> losses, JsonNode scores) {
        static Trained read(String run) {
            Path folder = Path.of(run), model = folder.resolve("model");
            try {
                JsonNode text = JSON.readTree(model.resolve("text_encoder/config.json").toFile());
                boolean frozen = text.has("layers");
                long parameters = frozen ? MiniLm.parameters(text.get("layers").asInt())
                        : Panels.parameters(model.resolve("text_encoder/model.safetensors"));
                List<String> steps = Files.readAllLines(folder.resolve("diffusion.csv"));
                List<Double> losses = IntStream.range(0, (steps.size() - 1) / LAST).mapToObj(i -> mean(steps, 1 + i * LAST)).toList();
                return new Trained(frozen, parameters, Panels.parameters(model.resolve("unet/diffusion_pytorch_model.safetensors")), losses,
                        JSON.readTree(folder.resolve("scores.json").toFile()));
            } catch (IOException e) {
                throw new UncheckedIOException(run + ": " + e.getMessage(), e);
            }
        }

        private static double mean(List<String> steps, int from) {
            return steps.subList(from, from + LAST).stream().mapToDouble(line -> Double.parseDouble(line.split(",")[1])).average().orElseThrow();
        }

        double loss() {
            return losses.get(losses.size() - 1);
        }

        double share(String set, String what) {
            return 100 * scores.get(set).get(what).asDouble();
        }
    }

    private EncodersPicture() {
    }

    public static void main(String[] args) throws IOException {
        List<Trained> runs = Stream.of(args).map(Trained::read).toList();
        for (Trained run : runs) {
            System.out.printf(Locale.ROOT, "| %s, %,d | %,d | %.4f |", run.frozen ? "frozen" : "trained", run.textParameters,
                    run.unetParameters, run.loss());
            SETS.forEach(set -> System.out.printf(Locale.ROOT, " %.0f%%, %.0f%% |", run.share(set, "objects"),
                    run.share(set, "all_correct")));
            System.out.println();
        }
        Trained trained = runs.stream().filter(run -> !run.frozen).findFirst().orElseThrow();
        Trained frozen = runs.stream().filter(run -> run.frozen && alike(run, trained)).max(Comparator.comparing(Trained::textParameters))
                .orElseThrow();
        Panels sizes = new Panels(true);
        sizes.add("loss against the frozen encoder's parameters", "%.3f", Panels::millions, line(runs,
                run -> run.frozen && run.unetParameters == frozen.unetParameters, Trained::textParameters));
        sizes.add("loss against the U-Net's parameters", "%.3f", Panels::millions, line(runs,
                run -> run.frozen && run.textParameters == frozen.textParameters, Trained::unetParameters));
        sizes.write(Path.of("docs", "encoders", "sizes.png"));
        Panels kinds = new Panels(false);
        kinds.add("loss against steps: frozen (blue), trained", "%.2f", steps -> String.format(Locale.ROOT, "%.0f", steps),
                Stream.concat(curve(frozen, 0), curve(trained, 1)).toList());
        kinds.write(Path.of("docs", "encoders", "frozen.png"));
    }

    /** Whether their U-Nets have the same widths: what projects the frozen states is one layer more. */
    private static boolean alike(Trained a, Trained b) {
        return Math.abs(a.unetParameters - b.unetParameters) < a.unetParameters / 10;
    }

    private static Stream<Panels.Point> curve(Trained run, int series) {
        return IntStream.range(0, run.losses.size()).mapToObj(i -> new Panels.Point((i + 1.0) * LAST, run.losses.get(i), series));
    }

    private static List<Panels.Point> line(List<Trained> runs, Predicate<Trained> among, ToDoubleFunction<Trained> parameters) {
        return runs.stream().filter(among).sorted(Comparator.comparingDouble(parameters))
                .map(run -> new Panels.Point(parameters.applyAsDouble(run), run.loss(), 0)).toList();
    }
}
