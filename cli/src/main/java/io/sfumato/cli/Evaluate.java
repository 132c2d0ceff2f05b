package io.sfumato.cli;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.TextToImage;
import io.sfumato.evaluation.CandidateCurve;
import io.sfumato.evaluation.ClipartWorld;
import io.sfumato.evaluation.ClipartWorldReport;
import io.sfumato.evaluation.Detector;
import io.sfumato.evaluation.DetectorTrainer;
import io.sfumato.evaluation.FirstLight;
import io.sfumato.evaluation.FirstLightReport;
import io.sfumato.evaluation.Retrieval;
import io.sfumato.evaluation.SceneClassifier;
import io.sfumato.evaluation.SceneClassifierTrainer;
import io.sfumato.families.ClipScore;
import io.sfumato.hub.ModelFolder;
import io.sfumato.hub.ModelUri;
import io.sfumato.training.Progress;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Scenes;
import io.sfumato.training.world.WorldConfig;
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
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures a model. */
@Command(name = "evaluate", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Measures how well a model draws what captions say. A run that was cut off goes on with the pictures it has.",
        footer = {"", "Examples:", "  sfumato evaluate --benchmark clipart-world --count 1000 --json scores.json --output reports/world",
            "  sfumato evaluate --model builtin:first-light --benchmark first-light --count 600 --output reports/first-light"})
final class Evaluate implements Callable<Integer> {
    private static final String NOUNS = "nouns.txt";
    private static final List<String> BENCHMARKS = List.of("first-light", "clipart-world", "candidates", "retrieval");

    @Spec
    private CommandSpec spec;

    @Option(order = 1, names = "--model", paramLabel = "URI", description = "a model folder, or builtin:NAME (${DEFAULT-VALUE})")
    private String model = ModelUri.DEFAULT;

    @Option(order = 2, names = "--benchmark", paramLabel = "NAME", required = true,
            description = "clipart-world: scenes of sixty nouns; first-light: of twenty; candidates: what choosing by --judge brings;"
                    + " retrieval: how well --judge finds pictures and captions")
    private String benchmark;

    @Option(order = 3, names = "--count", paramLabel = "N",
            description = "captions; of first-light those of one thing, a third as many of two are added (${DEFAULT-VALUE})")
    private int count = 600;

    @Option(order = 4, names = "--seed", paramLabel = "S", description = "of the first picture; the next has S+1 (${DEFAULT-VALUE})")
    private long seed;

    private List<Path> classifier = List.of();

    private List<Path> output = List.of();
    private List<String> json = List.of();

    @Option(order = 6, names = "--output", paramLabel = "FOLDER",
            description = "where pictures and report go; clipart-world can do without and keep nothing but its scores")
    private void output(Path folder) {
        output = List.of(folder);
    }

    @Option(order = 7, names = "--json", paramLabel = "FILE", arity = "0..1", fallbackValue = "",
            description = "write the scores as one JSON object to a file; without a name, print it")
    private void json(String file) {
        json = List.of(file);
    }

    @Option(order = 8, names = "--nouns", paramLabel = "NOUN", split = ",",
            description = "of clipart-world's captions (those in nouns.txt of the model's folder; otherwise sixty)")
    private List<String> nouns = List.of();

    private List<Path> judge = List.of();

    @Option(order = 9, names = "--judge", paramLabel = "PATH",
            description = "of candidates and retrieval: a CLIP, a folder or OpenAI's file")
    private void judge(Path clip) {
        judge = List.of(clip);
    }

    @Option(order = 10, names = "--candidates", paramLabel = "N", description = "of each caption, of candidates (${DEFAULT-VALUE})")
    private int candidates = 16;

    @Mixin
    private final EightBitOption int8 = new EightBitOption();

    @Mixin
    private final ShortcutOptions shortcuts = new ShortcutOptions();

    @Option(order = 11, names = "--quiet", description = "no progress")
    private boolean quiet;

    @Option(order = 5, names = "--classifier", paramLabel = "FILE",
            description = "what judges the pictures; trained first where there is no such file (classifier.safetensors in the output;"
                    + " clipart-world has one bundled)")
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
        Main.checked(spec, () -> shortcuts.change(Options.defaults()));
        // Before the work of minutes.
        for (String file : json) {
            Path folder = Path.of(file).toAbsolutePath().getParent();
            if (!file.isEmpty() && !Files.isDirectory(folder)) {
                throw new ParameterException(spec.commandLine(), file + ": there is no folder " + folder);
            }
        }
        return switch (benchmark) {
            case "first-light" -> firstLight();
            case "clipart-world" -> clipartWorld();
            case "candidates" -> candidates();
            default -> retrieval();
        };
    }

    private int firstLight() {
        Path folder = output.stream().findFirst()
                .orElseThrow(() -> new ParameterException(spec.commandLine(), "first-light needs an --output folder"));
        ModelFolder files = ModelUri.resolve(model);
        Path judge = classifier.isEmpty() ? folder.resolve("classifier.safetensors") : classifier.get(0);
        Scenes world = new Scenes(FirstLight.WORLD, ClipArt.bundled());
        Progress progress = progress(spec.commandLine().getErr());
        try (TextToImage drawer = load(); SceneClassifier reader = classifier(judge, progress)) {
            Options options = shortcuts.change(drawer.defaults().withSeed(seed));
            FirstLightReport report = FirstLight.of(count).run(drawer, name(files), options, world, reader, folder, progress);
            tell(report.json(), folder.resolve("report.md").toString());
            return 0;
        }
    }

    private int candidates() {
        if (judge.isEmpty() || output.isEmpty() || candidates < 2) {
            throw new ParameterException(spec.commandLine(), "candidates needs --judge, an --output folder and 2 or more --candidates");
        }
        ModelFolder files = ModelUri.resolve(model);
        ClipartWorld measure = Main.checked(spec, () -> ClipartWorld.of(count, nouns(files.path())));
        Progress progress = progress(spec.commandLine().getErr());
        try (TextToImage drawer = load(); Detector detector = detector(progress);
                ClipScore clip = ClipScore.load(judge.get(0))) {
            CandidateCurve curve = CandidateCurve.run(drawer, shortcuts.change(drawer.defaults().withSeed(seed).withCount(candidates)),
                    measure.simple(ClipArt.bundled()), (prompt, image) -> clip.score(image, prompt.text()), detector, progress);
            curve.write(output.get(0));
            tell(curve.json(), output.get(0).resolve("candidates.csv").toString());
            return 0;
        }
    }

    private int retrieval() {
        if (judge.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "retrieval needs --judge, a CLIP");
        }
        ClipartWorld measure = Main.checked(spec, () -> ClipartWorld.of(count, nouns(judge.get(0))));
        try (ClipScore clip = ClipScore.load(judge.get(0))) {
            String scores = Retrieval.run(clip, measure.simple(ClipArt.bundled())).json();
            tell(scores, scores);
            return 0;
        }
    }

    private int clipartWorld() {
        ModelFolder files = ModelUri.resolve(model);
        ClipartWorld measure = Main.checked(spec, () -> ClipartWorld.of(count, nouns(files.path())));
        Progress progress = progress(spec.commandLine().getErr());
        try (TemporaryFolder temporary = new TemporaryFolder();
                TextToImage drawer = load(); Detector detector = detector(progress)) {
            Path folder = output.stream().findFirst().orElse(temporary.path());
            Options options = shortcuts.change(drawer.defaults().withSeed(seed));
            ClipartWorldReport report = measure.run(drawer, name(files), options, detector, ClipArt.bundled(), folder, progress);
            if (!output.isEmpty()) {
                report.write(folder);
            }
            tell(report.json(), output.isEmpty() ? report.json() : folder.resolve("report.html").toString());
            return 0;
        }
    }

    private TextToImage load() {
        return TextToImage.load(model, LoadOptions.defaults().withInt8(int8.asked()));
    }

    /** Writes the scores where they were asked for, and prints them or else where the report is. */
    private void tell(String scores, String report) {
        PrintWriter out = spec.commandLine().getOut();
        for (String file : json) {
            if (!file.isEmpty()) {
                write(Path.of(file), scores);
            }
        }
        out.println(json.contains("") ? scores : report);
        out.flush();
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** A folder that goes when it is closed. */
    private record TemporaryFolder(Path path) implements AutoCloseable {
        TemporaryFolder() {
            this(create());
        }

        private static Path create() {
            try {
                return Files.createTempDirectory("sfumato-evaluate");
            } catch (IOException e) {
                throw new UncheckedIOException("no temporary folder: " + e.getMessage(), e);
            }
        }

        @Override
        public void close() {
            try (Stream<Path> files = Files.walk(path)) {
                files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            } catch (IOException e) {
                throw new UncheckedIOException(path + ": cannot be deleted: " + e.getMessage(), e);
            }
        }
    }

    /** What the model was trained on, if it or the caller tells; the first vocabulary otherwise. */
    private List<String> nouns(Path folder) {
        Path file = folder.resolve(NOUNS);
        try {
            return !nouns.isEmpty() ? nouns : Files.exists(file) ? Files.readAllLines(file) : WorldConfig.SIXTY;
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private Detector detector(Progress progress) {
        if (classifier.isEmpty()) {
            return Detector.bundled();
        }
        Path file = classifier.get(0);
        if (Files.exists(file)) {
            return Detector.load(file);
        }
        makeFolderOf(file);
        Detector trained = DetectorTrainer.standard().train(WorldConfig.sixty(Detector.SIZE), ClipArt.bundled(), 1, progress);
        trained.write(file);
        return trained;
    }

    private static SceneClassifier classifier(Path file, Progress progress) {
        if (Files.exists(file)) {
            return SceneClassifier.load(file);
        }
        makeFolderOf(file);
        // Of all nouns, so that it cannot guess among the few that the benchmark asks for.
        Scenes world = new Scenes(Scenes.Config.ofSize(FirstLight.WORLD.size()), ClipArt.bundled());
        SceneClassifier trained = SceneClassifierTrainer.standard().train(world, 1, progress);
        trained.write(file);
        return trained;
    }

    private static void makeFolderOf(Path file) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** The model's name and when it was last written: pictures of an older training state are not taken for those of this one. */
    private String name(ModelFolder folder) {
        try (Stream<Path> files = Files.walk(folder.path())) {
            FileTime written = files.filter(Files::isRegularFile).map(Evaluate::time).max(Comparator.naturalOrder()).orElseThrow();
            return (model.startsWith("builtin:") ? model : folder.path().toAbsolutePath().normalize().getFileName() + " of " + written)
                    + (int8.asked() ? " in int8" : "");
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
