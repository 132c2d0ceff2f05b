package io.sfumato.cli;

import static java.util.Comparator.comparingLong;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.Batch;
import io.sfumato.Candidates;
import io.sfumato.HiresFix;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.Turn;
import io.sfumato.Wish;
import io.sfumato.diffusion.Samplers;
import io.sfumato.families.Families;
import io.sfumato.families.MemoryEstimate;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.GenerationParameters;
import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Engine;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Draws pictures of a prompt. What is not asked for is as the model's folder would have it. */
@Command(name = "generate", mixinStandardHelpOptions = true, sortOptions = false, abbreviateSynopsis = true,
        description = "Draws pictures of a prompt.",
        footer = {"", "Example:", "  sfumato generate \"a red apple\" --steps 30 --sampler \"DPM++ 2M\" --count 4 --output apple.webp"})
final class Generate implements Callable<Integer> {
    private static final double GIB = 1L << 30;

    @Spec
    private CommandSpec spec;

    private List<String> prompt = List.of();

    @Option(order = 1, names = "--prompts", paramLabel = "FILE",
            description = "draw the prompts of a file instead, one a line; a line may have options of its own, as in A1111's script")
    private List<Path> prompts = List.of();

    @Option(order = 11, names = "--batch", paramLabel = "N",
            description = "pictures of --prompts drawn at once, at most; fewer where memory is short (${DEFAULT-VALUE})")
    private int batch = 8;

    @Mixin
    private final EightBitOption int8 = new EightBitOption();

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Mixin
    private final PictureOptions wanted = new PictureOptions();

    @Mixin
    private final Hires hires = new Hires();

    @Mixin
    private final Ranking ranking = new Ranking();

    @Mixin
    private final Frames frames = new Frames();

    private final List<Double> scores = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private List<Path> output = List.of();
    private List<Path> trace = List.of();
    private List<Path> preview = List.of();
    private final long seed = ThreadLocalRandom.current().nextLong(1L << 32);

    @Option(order = 18, names = "--dtype", paramLabel = "TYPE", description = "type of the numbers: f32, bf16 or f16 (${DEFAULT-VALUE})")
    private String dtype = "f32";

    @Option(order = 19, names = "--device", paramLabel = "NAME", description = "cpu, cuda or mps (${DEFAULT-VALUE})")
    private String device = "cpu";

    @Option(order = 16, names = "--preview-every", paramLabel = "N", description = "steps between previews (${DEFAULT-VALUE})")
    private int previewEvery = 5;

    @Option(order = 23, names = "--text-8bit", description = "hold a large text encoder (T5) in 8 bits: a fourth of the memory")
    private boolean eightBitText;

    @Option(order = 21, names = "--json", description = "print one JSON object instead of the files' names")
    private boolean json;

    @Option(order = 22, names = "--quiet", description = "no progress and no notes")
    private boolean quiet;

    @Option(order = 23, names = "--dry-run", description = "only say how much memory the run would need")
    private boolean dryRun;

    @Parameters(paramLabel = "PROMPT", arity = "0..1", description = "what to draw; may be empty")
    private void prompt(String text) {
        prompt = List.of(text);
    }

    @Option(order = 20, names = "--threads", paramLabel = "N", description = "threads of the CPU (one for each core)")
    private void threads(int threads) {
        Main.checked(spec, () -> {
            Engine.setThreads(threads);
            return threads;
        });
    }

    @Option(order = 14, names = "--output", paramLabel = "FILE",
            description = "ends in .png, .jpg or .webp and is replaced if it exists (sfumato-SEED.png, which replaces nothing)")
    private void output(Path file) {
        output = List.of(file);
    }

    @Option(order = 17, names = "--trace", paramLabel = "FILE", description = "write the numbers of every step as a .safetensors file")
    private void trace(Path file) {
        trace = List.of(file);
    }

    @Option(order = 15, names = "--preview", paramLabel = "FILE", description = "write the pictures as they come to be")
    private void preview(Path file) {
        preview = List.of(file);
    }

    @Override
    public Integer call() {
        LoadOptions load = load();
        List<Asked> asked = asked();
        List<Path> files = Main.checked(spec, () -> targets(asked));
        boolean single = Main.checked(spec, hires::fix).isEmpty() && alone() && trace.isEmpty();
        asked.forEach(each -> each.checked(() -> {
            ranking.check(each.change().apply(Options.defaults()), single);
            return each;
        }));
        ModelFolder folder = model.open(load.hints());
        notes.addAll(folder.notes());
        MemoryEstimate needs = asked.stream().map(each -> memory(folder, load, each)).max(comparingLong(MemoryEstimate::total)).get();
        if (dryRun) {
            report(needs);
            return 0;
        }
        if (load.device() == Device.CPU) {
            needs.require(MemoryEstimate.available());
        }
        try (var interruption = new Interruption(); TextToImage drawer = Families.load(folder, load);
                Trace record = trace.isEmpty() ? Trace.none() : Trace.recording()) {
            List<String> warnings = new ArrayList<>();
            // The size is left open for the init picture to decide.
            Options defaults = drawer.defaults().withSize(Options.OF_MODEL, Options.OF_MODEL);
            List<Wish> wishes = asked.stream().map(each -> wish(each, drawer, defaults, warnings)).toList();
            if (ranking.isAsked()) {
                rank(drawer, wishes.get(0), files, warnings, interruption);
                interruption.writing(() -> frames.write(files));
                return 0;
            }
            List<Wish> pictures = wishes.stream().flatMap(Generate::pictures).toList();
            List<Batch> batches = alone() ? List.of(together(wishes.get(0)))
                    : Batch.plan(drawer, wishes, (p, o) -> o.count() <= batch && drawer.fits(p, hires.largest(o)));
            long begin = System.nanoTime();
            for (int i = 0; i < batches.size(); i++) {
                String stage = batches.size() == 1 ? "drawing" : "drawing batch " + (i + 1) + " of " + batches.size();
                draw(stage, drawer, batches.get(i), pictures, files, record, warnings, interruption);
            }
            interruption.writing(() -> frames.write(files));
            double seconds = (System.nanoTime() - begin) / 1e9;
            interruption.writing(() -> trace.forEach(record::write));
            report(files, wishes, pictures, seconds, warnings);
            return 0;
        }
    }

    private List<Asked> asked() {
        if (!prompts.isEmpty()) {
            if (frames.given()) {
                throw new ParameterException(spec.commandLine(), "--frames and --prompts are both given: one of them is wanted");
            }
            if (!prompt.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "PROMPT and --prompts are both given: one of them is wanted");
            }
            if (batch < 1) {
                throw new ParameterException(spec.commandLine(), "batch must be at least 1, not " + batch);
            }
            return PromptFile.read(prompts.get(0), spec, wanted);
        }
        if (prompt.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "Missing required parameter: 'PROMPT'");
        }
        Prompt wish = Main.checked(spec, () -> wanted.change(Prompt.of(prompt.get(0))));
        Asked asked = new Asked(spec, "", wish, o -> wanted.hasSeed() ? wanted.change(o) : wanted.change(o).withSeed(seed));
        return frames.given() ? Main.checked(spec, () -> frames.of(asked, wanted.saysHowFar())) : List.of(asked);
    }

    /** Whether all pictures are of one prompt as it stands, and so drawn as one batch. */
    private boolean alone() {
        return prompts.isEmpty() && !frames.given();
    }

    /** Of the largest pass; of a file, for one picture of each prompt, since batches are as large as fits. */
    private MemoryEstimate memory(ModelFolder folder, LoadOptions load, Asked asked) {
        return asked.checked(() -> {
            Options o = asked.change().apply(Options.defaults());
            Options one = ranking.isAsked() || !alone() ? o.withCount(1) : o;
            MemoryEstimate needs = Families.memory(folder, load, asked.prompt(), one);
            return hires.fix().isEmpty() ? needs
                    : Families.memory(folder, load, asked.prompt(), hires.largest(one.withSize(needs.width(), needs.height())));
        });
    }

    private static Wish wish(Asked asked, TextToImage drawer, Options defaults, List<String> warnings) {
        Options options = asked.checked(() -> drawer.complete(asked.prompt(), asked.change().apply(defaults)));
        if (!asked.prompt().negative().isEmpty() && options.guidance() <= 1) {
            warnings.add(asked.about("--negative has no effect: guidance is 1 or less"));
        }
        if (options.strength() != Options.OF_TASK && !asked.prompt().has(Prompt.Role.INIT)) {
            warnings.add(asked.about("--strength has no effect: there is no --init picture"));
        }
        return new Wish(asked.prompt(), options);
    }

    /** Each picture of a wish as a wish of its own. */
    private static Stream<Wish> pictures(Wish wish) {
        return IntStream.range(0, wish.options().count())
                .mapToObj(i -> new Wish(wish.prompt(), wish.options().withCount(1).withSeed(wish.options().seedOf(i))));
    }

    /** All pictures of one prompt, as one batch. */
    private static Batch together(Wish wish) {
        return new Batch(List.of(wish.prompt()), wish.options(), IntStream.range(0, wish.options().count()).boxed().toList());
    }

    private LoadOptions load() {
        DType type = switch (dtype.toLowerCase(Locale.ROOT)) {
            case "f32" -> DType.F32;
            case "bf16" -> DType.BF16;
            case "f16" -> DType.F16;
            default -> throw new ParameterException(spec.commandLine(), "unknown dtype '" + dtype + "': use f32, bf16 or f16");
        };
        if (List.of(Device.values()).stream().noneMatch(d -> d.toString().equalsIgnoreCase(device))) {
            throw new ParameterException(spec.commandLine(), "unknown device '" + device + "': use cpu, cuda or mps");
        }
        Device place = Device.of(device);
        return Main.checked(spec, () -> new LoadOptions(type, place).withHints(model.hints())
                .withEightBitText(eightBitText).withInt8(int8.asked()));
    }

    private List<Path> targets(List<Asked> asked) {
        if (previewEvery < 1) {
            throw new IllegalArgumentException("preview-every must be at least 1, not " + previewEvery);
        }
        int count = asked.stream().mapToInt(Asked::count).sum();
        long first = asked.get(0).change().apply(Options.defaults()).seed();
        List<Path> files = output.isEmpty() ? Targets.unnamed(first, count) : Targets.pictures(output.get(0), count);
        preview.forEach(file -> Targets.pictures(file, 1));
        files.forEach(Targets::requireWritable);
        trace.forEach(Targets::requireWritable);
        frames.requireWritable();
        preview.forEach(Targets::requireWritable);
        return files;
    }

    /** Draws a batch and writes its pictures; one that was planned leaves the numbers of each picture under its place, from 1. */
    private void draw(String stage, TextToImage drawer, Batch batch, List<Wish> pictures, List<Path> files, Trace record,
            List<String> warnings, Interruption interruption) {
        try (ProgressLine progress = new ProgressLine(spec.commandLine().getErr(), !quiet && ProgressLine.onTerminal());
                Trace own = alone() || trace.isEmpty() ? Trace.none() : Trace.recording()) {
            Listener listener = listener(stage, progress, warnings, interruption);
            Trace numbers = alone() ? record : own;
            List<HiresFix> fix = hires.fix();
            List<Image> images = fix.isEmpty() ? drawer.generate(batch.prompts(), batch.options(), listener, numbers)
                    : fix.get(0).generate(drawer, batch.prompts(), batch.options(), listener, numbers);
            interruption.writing(() -> {
                for (int i = 0; i < images.size(); i++) {
                    int place = batch.places().get(i);
                    record.under(place + 1 + ".").putPicture(own, i, images.size());
                    write(images.get(i), pictures.get(place), files.get(place));
                }
            });
        }
    }

    private void write(Image image, Wish picture, Path file) {
        ImageFile.of(image).withText(ImageFile.PARAMETERS, parameters(picture).format()).write(file);
    }

    /** Draws candidates and writes the best of them. */
    private void rank(TextToImage drawer, Wish wish, List<Path> files, List<String> warnings, Interruption interruption) {
        long begin = System.nanoTime();
        List<Wish> pictures = new ArrayList<>();
        try (ProgressLine progress = new ProgressLine(spec.commandLine().getErr(), !quiet && ProgressLine.onTerminal())) {
            List<Candidates.Scored> best = ranking.best(drawer, wish, listener("drawing candidates", progress, warnings, interruption));
            interruption.writing(() -> {
                for (int i = 0; i < best.size(); i++) {
                    Options o = wish.options();
                    scores.add(best.get(i).score());
                    pictures.add(new Wish(wish.prompt(), o.withCount(1).withSeed(o.seedOf(best.get(i).candidate()))));
                    write(best.get(i).image(), pictures.get(i), files.get(i));
                }
            });
        }
        report(files, List.of(wish), pictures, (System.nanoTime() - begin) / 1e9, warnings);
    }

    private Listener listener(String stage, ProgressLine progress, List<String> warnings, Interruption interruption) {
        return new Listener() {
            @Override
            public void onStep(Step step) {
                interruption.check();
                progress.step(stage, step.done(), step.total(), "");
                if (!preview.isEmpty() && step.done() % previewEvery == 0 && step.done() < step.total()) {
                    List<Image> now = step.preview().get();
                    Image sheet = Image.grid(now, (int) Math.ceil(Math.sqrt(now.size())));
                    interruption.writing(() -> preview.forEach(sheet::write));
                }
            }

            @Override
            public void onWarning(String warning) {
                warnings.add(warning);
            }
        };
    }

    /** As A1111 and its kin store it. */
    private GenerationParameters parameters(Wish picture) {
        Options o = picture.options();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("Steps", String.valueOf(o.steps()));
        if (!o.sampler().equals(Options.MODELS_OWN)) {
            settings.put("Sampler", Samplers.commonName(o.sampler()));
        }
        if (!o.schedule().equals(Options.MODELS_OWN)) {
            settings.put("Schedule type", o.schedule().substring(0, 1).toUpperCase(Locale.ROOT) + o.schedule().substring(1));
        }
        settings.put("CFG scale", number(o.guidance()));
        settings.put("Seed", String.valueOf(o.seed()));
        settings.put("Size", o.width() + "x" + o.height());
        settings.put("Model", model.name());
        settings.putAll(GivenPictures.settings(picture.prompt(), o));
        settings.putAll(UnclipSteps.settings(picture.prompt()));
        settings.putAll(hires.settings());
        if (o.clipSkip() > 0) {
            // A1111 counts the layer that it stops at, from the last, which is 1.
            settings.put("Clip skip", String.valueOf(o.clipSkip() + 1));
        }
        if (o.eta() > 0) {
            settings.put("Eta", number(o.eta()));
        }
        if (o.guidanceRescale() > 0) {
            settings.put("CFG rescale", number(o.guidanceRescale()));
        }
        settings.putAll(ShortcutOptions.settings(o.shortcuts()));
        if (int8.asked()) {
            settings.put("Weights", "int8");
        }
        settings.put("RNG", "CPU");
        settings.put("Version", "sfumato " + Main.version());
        return new GenerationParameters(picture.prompt().text(), picture.prompt().negative(), settings);
    }

    static String number(double x) {
        return x == Math.rint(x) ? String.valueOf((long) x) : String.valueOf(x);
    }

    private void report(MemoryEstimate needs) {
        PrintWriter out = spec.commandLine().getOut();
        long available = MemoryEstimate.available();
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("what", needs.what());
        all.put("peak_bytes", needs.total());
        all.put("weights_bytes", needs.weights());
        all.put("activations_bytes", needs.activations());
        all.put("available_bytes", available);
        out.println(json ? text(all) : String.format(Locale.ROOT,
                "%s: about %.2f GiB at the peak, %.2f of it weights; %.2f GiB are available",
                needs.what(), needs.total() / GIB, needs.weights() / GIB, available / GIB));
        out.flush();
    }

    private void report(List<Path> files, List<Wish> wishes, List<Wish> pictures, double seconds, List<String> warnings) {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (!quiet) {
            notes.forEach(note -> err.println("sfumato: " + note));
            warnings.forEach(warning -> err.println("sfumato: warning: " + warning));
            Options o = hires.largest(wishes.get(0).options());
            String plural = files.size() == 1 ? "" : "s";
            err.println(alone()
                    ? String.format(Locale.ROOT, "%d picture%s of %dx%d in %.1f s, seed %d", files.size(), plural, o.width(), o.height(),
                            seconds, o.seed())
                    : String.format(Locale.ROOT, "%d picture%s in %.1f s", files.size(), plural, seconds));
            for (int i = 0; i < scores.size(); i++) {
                err.println(String.format(Locale.ROOT, "%s: seed %d, CLIPScore %.4f", files.get(i), pictures.get(i).options().seed(),
                        scores.get(i)));
            }
        }
        if (json) {
            out.println(json(files, wishes, pictures, seconds, warnings));
        } else {
            files.forEach(out::println);
        }
        out.flush();
        err.flush();
    }

    private String json(List<Path> files, List<Wish> wishes, List<Wish> pictures, double seconds, List<String> warnings) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("files", files.stream().map(Path::toString).toList());
        all.put("seeds", pictures.stream().map(picture -> picture.options().seed()).toList());
        if (!scores.isEmpty()) {
            all.put("scores", scores);
        }
        if (alone()) {
            all.putAll(described(wishes.get(0)));
        } else {
            all.put("pictures", pictures.stream().map(Generate::described).toList());
        }
        all.put("model", model.uri());
        all.put("seconds", seconds);
        all.put("warnings", warnings);
        all.put("notes", notes);
        return text(all);
    }

    private static Map<String, Object> described(Wish wish) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("prompt", wish.prompt().text());
        all.put("negative", wish.prompt().negative());
        if (wish.prompt().turn().kind() != Turn.Kind.NONE) {
            all.put("turn", new ObjectMapper().valueToTree(wish.prompt().turn()));
        }
        all.put("options", new ObjectMapper().valueToTree(wish.options()));
        return all;
    }

    private static String text(Map<String, Object> all) {
        try {
            return new ObjectMapper().writeValueAsString(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
