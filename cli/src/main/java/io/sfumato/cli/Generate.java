package io.sfumato.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.HiresFix;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
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
import java.util.stream.LongStream;
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

    @Parameters(paramLabel = "PROMPT", description = "what to draw; may be empty")
    private String prompt;

    @Option(order = 1, names = "--negative", paramLabel = "TEXT", description = "what to lead away from")
    private String negative = "";

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Mixin
    private final GivenPictures pictures = new GivenPictures();

    @Mixin
    private final Hires hires = new Hires();

    @Mixin
    private final TokenPicking picking = new TokenPicking();

    @Mixin
    private final UnclipSteps unclip = new UnclipSteps();

    private final Changes<Options> changes = new Changes<>();
    private final List<String> notes = new ArrayList<>();
    private List<Path> output = List.of();
    private List<Path> trace = List.of();
    private List<Path> preview = List.of();
    private long seed = ThreadLocalRandom.current().nextLong(1L << 32);

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

    @Option(order = 3, names = "--width", paramLabel = "W", description = "pixels, a multiple of 8")
    private void width(int width) {
        changes.add(o -> o.withSize(given("width", width), o.height()));
    }

    @Option(order = 4, names = "--height", paramLabel = "H", description = "pixels, a multiple of 8")
    private void height(int height) {
        changes.add(o -> o.withSize(o.width(), given("height", height)));
    }

    @Option(order = 5, names = "--steps", paramLabel = "N", description = "sampling steps")
    private void steps(int steps) {
        changes.add(o -> o.withSteps(steps));
    }

    @Option(order = 6, names = "--guidance", paramLabel = "G", description = "how closely to follow the prompt; 1 or less is freely")
    private void guidance(double guidance) {
        changes.add(o -> o.withGuidance(guidance));
    }

    @Option(order = 7, names = "--guidance-rescale", paramLabel = "R", description = "0 to 1: against the glare of strong guidance")
    private void guidanceRescale(double rescale) {
        changes.add(o -> o.withGuidanceRescale(rescale));
    }

    @Option(order = 8, names = "--seed", paramLabel = "S", description = "of the first picture; the next has S+1 (random)")
    private void seed(long seed) {
        this.seed = seed;
    }

    @Option(order = 9, names = "--sampler", paramLabel = "NAME", description = "as diffusers, A1111 or ComfyUI name it")
    private void sampler(String name) {
        changes.add(o -> {
            Samplers.requireSampler(name);
            return o.withSampler(name);
        });
    }

    @Option(order = 10, names = "--schedule", paramLabel = "NAME", description = "spacing of the steps, such as karras or trailing")
    private void schedule(String name) {
        changes.add(o -> {
            Samplers.requireSchedule(name);
            return o.withSchedule(name);
        });
    }

    @Option(order = 11, names = "--count", paramLabel = "N", description = "pictures, drawn as one batch: NAME-1.png ... NAME-N.png")
    private void count(int count) {
        changes.add(o -> o.withCount(count));
    }

    @Option(order = 12, names = "--eta", paramLabel = "E", description = "0 to 1: noise that the DDIM sampler adds")
    private void eta(double eta) {
        changes.add(o -> o.withEta(eta));
    }

    @Option(order = 13, names = "--clip-skip", paramLabel = "N", description = "last layers of the text encoder to leave out")
    private void clipSkip(int layers) {
        changes.add(o -> o.withClipSkip(layers));
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
        Options asked = Main.checked(spec, () -> changed(Options.defaults()));
        List<Path> files = Main.checked(spec, () -> targets(asked));
        Main.checked(spec, hires::fix);
        Prompt wish = Main.checked(spec, () -> pictures.addTo(Prompt.of(prompt).withNegative(negative)));
        ModelFolder folder = model.open(load.hints());
        notes.addAll(folder.notes());
        MemoryEstimate needs = Main.checked(spec, () -> Families.memory(folder, load, wish, hires.largest(asked)));
        if (dryRun) {
            report(needs);
            return 0;
        }
        if (load.device() == Device.CPU) {
            needs.require(MemoryEstimate.available());
        }
        try (var interruption = new Interruption(); TextToImage drawer = Families.load(folder, load);
                Trace record = trace.isEmpty() ? Trace.none() : Trace.recording()) {
            // The size is left open for the init picture to decide.
            Options defaults = drawer.defaults().withSize(Options.OF_MODEL, Options.OF_MODEL);
            Options options = Main.checked(spec, () -> drawer.complete(wish, changed(defaults)));
            List<String> warnings = new ArrayList<>();
            if (!negative.isEmpty() && options.guidance() <= 1) {
                warnings.add("--negative has no effect: guidance is 1 or less");
            }
            if (asked.strength() != Options.OF_TASK && !wish.has(Prompt.Role.INIT)) {
                warnings.add("--strength has no effect: there is no --init picture");
            }
            long begin = System.nanoTime();
            List<Image> images = draw(drawer, wish, options, record, warnings, interruption);
            double seconds = (System.nanoTime() - begin) / 1e9;
            interruption.writing(() -> {
                for (int i = 0; i < files.size(); i++) {
                    ImageFile.of(images.get(i)).withText(ImageFile.PARAMETERS, parameters(wish, options, i).format()).write(files.get(i));
                }
                trace.forEach(record::write);
            });
            report(files, options, seconds, warnings);
            return 0;
        }
    }

    private Options changed(Options o) {
        return unclip.change(picking.change(pictures.change(changes.to(o)))).withSeed(seed);
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
        return Main.checked(spec, () -> new LoadOptions(type, place).withHints(model.hints()).withEightBitText(eightBitText));
    }

    // In Options a 0 leaves the size to the model; on the command line it is a mistake.
    private static int given(String side, int size) {
        if (size == Options.OF_MODEL) {
            throw new IllegalArgumentException(side + " must be a multiple of 8 from 8 to 16384, not 0");
        }
        return size;
    }

    private List<Path> targets(Options asked) {
        if (previewEvery < 1) {
            throw new IllegalArgumentException("preview-every must be at least 1, not " + previewEvery);
        }
        List<Path> files = output.isEmpty() ? Targets.unnamed(seed, asked.count()) : Targets.pictures(output.get(0), asked.count());
        preview.forEach(file -> Targets.pictures(file, 1));
        files.forEach(Targets::requireWritable);
        trace.forEach(Targets::requireWritable);
        preview.forEach(Targets::requireWritable);
        return files;
    }

    private List<Image> draw(TextToImage drawer, Prompt wish, Options options, Trace record, List<String> warnings,
            Interruption interruption) {
        try (ProgressLine progress = new ProgressLine(spec.commandLine().getErr(), !quiet && ProgressLine.onTerminal())) {
            Listener listener = new Listener() {
                @Override
                public void onStep(Step step) {
                    interruption.check();
                    progress.step("drawing", step.done(), step.total(), "");
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
            List<HiresFix> fix = hires.fix();
            return fix.isEmpty() ? drawer.generate(List.of(wish), options, listener, record)
                    : fix.get(0).generate(drawer, wish, options, listener, record);
        }
    }

    /** As A1111 and its kin store it. */
    private GenerationParameters parameters(Prompt wish, Options o, int picture) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("Steps", String.valueOf(o.steps()));
        if (!o.sampler().equals(Options.MODELS_OWN)) {
            settings.put("Sampler", Samplers.commonName(o.sampler()));
        }
        if (!o.schedule().equals(Options.MODELS_OWN)) {
            settings.put("Schedule type", o.schedule().substring(0, 1).toUpperCase(Locale.ROOT) + o.schedule().substring(1));
        }
        settings.put("CFG scale", number(o.guidance()));
        settings.put("Seed", String.valueOf(o.seed() + picture));
        settings.put("Size", o.width() + "x" + o.height());
        settings.put("Model", model.name());
        settings.putAll(GivenPictures.settings(wish, o));
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
        settings.put("RNG", "CPU");
        settings.put("Version", "sfumato " + Main.version());
        return new GenerationParameters(prompt, negative, settings);
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

    private void report(List<Path> files, Options o, double seconds, List<String> warnings) {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (!quiet) {
            notes.forEach(note -> err.println("sfumato: " + note));
            warnings.forEach(warning -> err.println("sfumato: warning: " + warning));
            err.println(String.format(Locale.ROOT, "%d picture%s of %dx%d in %.1f s, seed %d", files.size(), files.size() == 1 ? "" : "s",
                    hires.largest(o).width(), hires.largest(o).height(), seconds, o.seed()));
        }
        if (json) {
            out.println(json(files, o, seconds, warnings));
        } else {
            files.forEach(out::println);
        }
        out.flush();
        err.flush();
    }

    private String json(List<Path> files, Options o, double seconds, List<String> warnings) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("files", files.stream().map(Path::toString).toList());
        all.put("seeds", LongStream.range(0, files.size()).map(i -> o.seed() + i).boxed().toList());
        all.put("prompt", prompt);
        all.put("negative", negative);
        all.put("model", model.uri());
        all.put("options", new ObjectMapper().valueToTree(o));
        all.put("seconds", seconds);
        all.put("warnings", warnings);
        all.put("notes", notes);
        return text(all);
    }

    private static String text(Map<String, Object> all) {
        try {
            return new ObjectMapper().writeValueAsString(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
