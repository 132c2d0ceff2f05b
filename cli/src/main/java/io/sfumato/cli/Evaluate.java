package io.sfumato.cli;

import io.sfumato.Options;
import io.sfumato.TextToImage;
import io.sfumato.evaluation.FirstLight;
import io.sfumato.evaluation.FirstLightReport;
import io.sfumato.evaluation.SceneClassifier;
import io.sfumato.evaluation.SceneClassifierTrainer;
import io.sfumato.hub.ModelFolder;
import io.sfumato.hub.ModelUri;
import io.sfumato.training.Progress;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Scenes;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures a model. */
@Command(name = "evaluate", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Measures how well a model draws what captions say. A run that was cut off goes on with the pictures it has.",
        footer = {"", "Example:", "  sfumato evaluate --benchmark first-light --count 600 --output reports/first-light"})
final class Evaluate implements Callable<Integer> {
    private static final List<String> BENCHMARKS = List.of("first-light");

    @Spec
    private CommandSpec spec;

    @Option(order = 1, names = "--model", paramLabel = "URI", description = "a model folder, or builtin:NAME (${DEFAULT-VALUE})")
    private String model = ModelUri.DEFAULT;

    @Option(order = 2, names = "--benchmark", paramLabel = "NAME", required = true, description = "first-light: clip-art scenes")
    private String benchmark;

    @Option(order = 3, names = "--count", paramLabel = "N",
            description = "captions of one thing; a third as many of two are added (${DEFAULT-VALUE})")
    private int count = 600;

    @Option(order = 4, names = "--seed", paramLabel = "S", description = "of the first picture; the next has S+1 (${DEFAULT-VALUE})")
    private long seed;

    private List<Path> classifier = List.of();

    @Option(order = 6, names = "--output", paramLabel = "FOLDER", required = true, description = "where pictures and report go")
    private Path output;

    @Option(order = 7, names = "--json", description = "print the report as one JSON object")
    private boolean json;

    @Option(order = 8, names = "--quiet", description = "no progress")
    private boolean quiet;

    @Option(order = 5, names = "--classifier", paramLabel = "FILE",
            description = "what judges the pictures; trained first where there is no such file (classifier.safetensors in the output)")
    private void classifier(Path file) {
        classifier = List.of(file);
    }

    @Override
    public Integer call() {
        if (!BENCHMARKS.contains(benchmark)) {
            throw new ParameterException(spec.commandLine(), "unknown benchmark '" + benchmark + "': use " + String.join(", ", BENCHMARKS));
        }
        if (count < 1) {
            throw new ParameterException(spec.commandLine(), "count must be at least 1, not " + count);
        }
        ModelFolder folder = ModelUri.resolve(model);
        Path judge = classifier.isEmpty() ? output.resolve("classifier.safetensors") : classifier.get(0);
        Scenes world = new Scenes(FirstLight.WORLD, ClipArt.bundled());
        PrintWriter out = spec.commandLine().getOut();
        Progress progress = progress(spec.commandLine().getErr());
        try (TextToImage drawer = TextToImage.load(model); SceneClassifier reader = classifier(judge, progress)) {
            Options options = drawer.defaults().withSeed(seed);
            FirstLightReport report = FirstLight.of(count).run(drawer, name(folder), options, world, reader, output, progress);
            out.println(json ? report.json() : output.resolve("report.md"));
            out.flush();
            return 0;
        }
    }

    private static SceneClassifier classifier(Path file, Progress progress) {
        if (Files.exists(file)) {
            return SceneClassifier.load(file);
        }
        // Of all nouns, so that it cannot guess among the few that the benchmark asks for.
        Scenes world = new Scenes(Scenes.Config.ofSize(FirstLight.WORLD.size()), ClipArt.bundled());
        SceneClassifier trained = SceneClassifierTrainer.standard().train(world, 1, progress);
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            trained.write(file);
            return trained;
        } catch (IOException e) {
            trained.close();
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** The model's name and when it was last written: pictures of an older training state are not taken for those of this one. */
    private String name(ModelFolder folder) {
        try (Stream<Path> files = Files.walk(folder.path())) {
            FileTime written = files.filter(Files::isRegularFile).map(Evaluate::time).max(Comparator.naturalOrder()).orElseThrow();
            return model.startsWith("builtin:") ? model : folder.path().toAbsolutePath().normalize().getFileName() + " of " + written;
        } catch (IOException e) {
            throw new UncheckedIOException(folder.path() + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static FileTime time(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private Progress progress(PrintWriter err) {
        return (stage, done, total, loss) -> {
            if (!quiet && (done % Math.max(1, total / 20) == 0 || done == total)) {
                err.println(stage + " " + done + "/" + total);
                err.flush();
            }
        };
    }
}
