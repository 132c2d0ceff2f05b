package io.sfumato.families;

import static io.sfumato.Prompt.Role.LIKE;
import static io.sfumato.Prompt.Role.TOWARD;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.Turn;
import io.sfumato.diffusion.Guidance;
import io.sfumato.diffusion.Network;
import io.sfumato.diffusion.Noise;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.models.unclip.TextProjection;
import io.sfumato.models.unet.Conditioning;
import io.sfumato.models.unet.GlideUNet;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Karlo, an open unCLIP (Ramesh et al. 2022): the prior makes an image embedding of the text, the decoder draws small pixels that show
 * both, and two networks enlarge these, one for all steps but the last. Reads a diffusers {@code UnCLIPPipeline} folder, and that of
 * {@code UnCLIPImageVariationPipeline}, which has an image encoder in the prior's place. Trace: {@code prior.k}, {@code image_embedding},
 * and {@code stage2.latents.k} of the enlargement. Where all networks together do not fit into memory, each is let go before the next.
 */
final class Karlo implements TextToImage {
    private static final int RGB = 3;
    private static final String VARIATION = "UnCLIPImageVariationPipeline";

    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final LoadOptions load;
    private final UnclipTexts texts;
    private final Optional<UnclipPrior> prior;
    private final Optional<UnclipImages> images;
    private final TextProjection.Config told;
    private final Part<TextProjection> projection;
    private final Part<GlideUNet> decoder;
    private final Part<GlideUNet> first;
    private final Part<GlideUNet> last;
    private final SchedulerConfig scheduler;
    private final SchedulerConfig enlarging;
    private final int small;
    private final int large;
    private final Options defaults;

    Karlo(ModelFolder folder, LoadOptions load) {
        this.load = load;
        boolean stays = UnclipMemory.weights(UnclipMemory.karlo(folder, load)) <= MemoryEstimate.available();
        try {
            scheduler = scheduler(folder, "decoder_scheduler");
            enlarging = scheduler(folder, "super_res_scheduler");
            small = size(folder, "decoder");
            large = size(folder, "super_res_first");
            told = TextProjection.Config.of(folder.config("text_proj"));
            texts = new UnclipTexts(folder, load, stays);
            closers.push(texts::close);
            prior = !hasPrior(folder) ? Optional.empty() : Optional.of(UnclipPrior.of(folder, "prior_scheduler", texts, load, stays));
            prior.ifPresent(each -> closers.push(each::close));
            images = !hasEyes(folder) ? Optional.empty() : Optional.of(new UnclipImages(folder, "feature_extractor", load, stays));
            images.ifPresent(each -> closers.push(each::close));
            requireFit(folder);
            projection = hold(new Part<>(projection(folder, load), stays));
            decoder = hold(new Part<>(unet(folder, "decoder", load), stays));
            first = hold(new Part<>(unet(folder, "super_res_first", load), stays));
            last = hold(new Part<>(unet(folder, "super_res_last", load), stays));
            defaults = FolderDefaults.of(folder, Options.defaults().withSteps(25).withGuidance(8).withSize(large, large)
                    .withSampler(scheduler.className()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <M> Part<M> hold(Part<M> part) {
        closers.push(part::close);
        return part;
    }

    private static SchedulerConfig scheduler(ModelFolder folder, String component) {
        return SchedulerConfig.of(JsonFile.read(folder.folder(component).resolve("scheduler_config.json")));
    }

    /** Whether the folder says what makes image embeddings of texts; that of {@code UnCLIPImageVariationPipeline} does not. */
    static boolean hasPrior(ModelFolder folder) {
        return !folder.pipeline().equals(VARIATION);
    }

    /** Whether the folder says what makes image embeddings of pictures. */
    static boolean hasEyes(ModelFolder folder) {
        return folder.pipeline().equals(VARIATION) || Files.isDirectory(folder.path().resolve("image_encoder"));
    }

    /** Pixels of a side of the pictures that a network makes. */
    static int size(ModelFolder folder, String component) {
        ConfigJson json = folder.config(component);
        int size = json.integer("sample_size", 0);
        if (size < 1) {
            throw json.wrong("sample_size", size, "the side of the pictures");
        }
        return size;
    }

    static Part.Recipe<TextProjection> projection(ModelFolder folder, LoadOptions load) {
        TextProjection.Config config = TextProjection.Config.of(folder.config("text_proj"));
        return new Part.Recipe<>(() -> folder.weights("text_proj"), w -> new TextProjection(w, config), name -> false, load.dtype(),
                load.device());
    }

    static Part.Recipe<GlideUNet> unet(ModelFolder folder, String component, LoadOptions load) {
        GlideUNetConfig config = GlideUNetConfig.of(folder.config(component));
        return new Part.Recipe<>(() -> folder.weights(component), w -> new GlideUNet(w.forRunning(), config), name -> false, load.dtype(),
                load.device());
    }

    private void requireFit(ModelFolder folder) {
        ConfigJson json = folder.config("decoder");
        GlideUNetConfig c = GlideUNetConfig.of(json);
        int channels = scheduler.learnsVariance() ? 2 * RGB : RGB;
        if (c.inChannels() != RGB || c.outChannels() != channels || c.label() != GlideUNetConfig.Label.IDENTITY) {
            throw json.wrong("in_channels", c.inChannels() + " with out_channels " + c.outChannels() + " and class_embed_type "
                    + json.text("class_embed_type", "null"), RGB + " with " + channels + " and identity");
        }
        int embedding = prior.map(UnclipPrior::width).orElse(told.embed());
        if (embedding != told.embed() || c.timeWidth() != told.timeWidth() || c.pooledWidth() != told.context()) {
            throw new CheckpointException(folder.path() + ": text_proj takes embeddings of " + told.embed() + " numbers and tells "
                    + told.timeWidth() + " to the time and " + told.context() + " to attention, where the prior makes " + embedding
                    + " and the decoder takes " + c.timeWidth() + " and " + c.pooledWidth());
        }
        int seen = images.map(UnclipImages::width).orElse(told.embed());
        if (seen != told.embed()) {
            throw new CheckpointException(folder.path() + ": text_proj takes embeddings of " + told.embed()
                    + " numbers, where the image encoder makes " + seen);
        }
        for (String component : List.of("super_res_first", "super_res_last")) {
            ConfigJson each = folder.config(component);
            GlideUNetConfig enlarger = GlideUNetConfig.of(each);
            if (enlarger.inChannels() != 2 * RGB || enlarger.outChannels() != RGB) {
                throw each.wrong("in_channels", enlarger.inChannels() + " with out_channels " + enlarger.outChannels(), "6 with 3");
            }
        }
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        wanted.shortcuts().requireNone();
        for (Prompt.Role role : new Prompt.Role[] {LIKE, TOWARD}) {
            if (prompt.has(role) && images.isEmpty()) {
                throw new IllegalArgumentException("this model's folder has no image_encoder to see " + role + " with: a folder of the "
                        + "pipeline " + VARIATION + " has one");
            }
        }
        if (prompt.turn().kind() == Turn.Kind.TEXT && prior.isEmpty()) {
            throw new IllegalArgumentException("this model has no prior to imagine the text to end at with; a turn from one text to "
                    + "another needs none");
        }
        prompt.still().require(images.isPresent() ? Set.of(LIKE) : Set.of(), prior.isPresent() ? Set.of() : Set.of(LIKE));
        if (prior.isEmpty() && wanted.unclip().likeness() < 1) {
            throw new IllegalArgumentException("likeness " + wanted.unclip().likeness() + ": this model has no prior to mix in a text "
                    + "with, so 1 is wanted");
        }
        if (!prompt.negative().isEmpty()) {
            throw new IllegalArgumentException("this model takes no negative prompt: it is led away from the empty one");
        }
        if (wanted.clipSkip() > 0) {
            throw new IllegalArgumentException("clip skip " + wanted.clipSkip() + ": the prior takes the text encoder's last layer");
        }
        Options o = wanted.withOpenSides(large, large);
        if ((long) o.width() * small % large != 0 || (long) o.height() * small % large != 0) {
            throw new IllegalArgumentException("this model enlarges " + small + " pixels to " + large + ": it cannot make " + o.width()
                    + "x" + o.height());
        }
        prior.ifPresent(each -> each.calls(o.unclip()));
        Scheduling.of(scheduler, o);
        enlargement(o);
        return o.sampler().equals(Options.MODELS_OWN) ? o.withSampler(scheduler.className()) : o;
    }

    private Sampling enlargement(Options o) {
        return Sampling.of(enlarging, o.unclip().enlargingSteps(), 0);
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options o = wanted;
        for (Prompt prompt : prompts) {
            o = complete(prompt, o);
        }
        Prompt.requireAlike(prompts);
        int n = prompts.size() * o.count();
        try (Draws draws = new Draws(o, n); var noGrad = new NoGrad(); var scope = new Scope()) {
            boolean toText = prompts.get(0).turn().kind() == Turn.Kind.TEXT;
            int imagined = (imagines(prompts.get(0), o) ? 1 : 0) + (toText ? 1 : 0);
            CascadeProgress progress = new CascadeProgress(listener, Scheduling.of(scheduler, o).grid().calls()
                    + enlargement(o).grid().calls() + (imagined == 0 ? 0 : imagined * prior.get().calls(o.unclip())));
            boolean guided = imagined > 0 && o.unclip().priorGuidance() > 1 || o.guidance() > 1;
            UnclipTexts.Read read = read(prompts, guided, o, listener);
            UnclipTexts.Read end = toText ? read(UnclipTurn.ends(prompts), guided, o, listener) : read;
            Tensor embedding = UnclipTurn.turned(embedding(prompts, o, read, draws, progress, trace), prompts,
                    ends(o, end, progress, listener));
            trace.put("image_embedding", embedding);                                                    // (n, E)
            Tensor shares = UnclipTurn.shares(prompts, n);
            read = toText ? read.toward(end, guided ? Tensor.cat(0, shares, shares) : shares) : read;
            Tensor picture = draw(given(embedding, read, trace), n, o, draws.noise(), progress, trace);
            picture = enlarge(picture.clamp(-1, 1), o, draws.noise(), progress, trace.under("stage2.")).mul(0.5).add(0.5).clamp(0, 1);
            trace.put("image", picture);
            return StableDiffusionPixels.images(picture);
        }
    }

    /** The prompts, each as often as it is drawn; where guided, their negative ones first. */
    private UnclipTexts.Read read(List<Prompt> prompts, boolean guided, Options o, Listener listener) {
        Stream<String> words = prompts.stream().map(Prompt::text);
        return texts.read((guided ? Stream.concat(prompts.stream().map(Prompt::negative), words) : words).toList(), listener)
                .each(o.count());
    }

    private UnclipTurn.Ends ends(Options o, UnclipTexts.Read end, CascadeProgress progress, Listener listener) {
        return new UnclipTurn.Ends(images::get, (prompts, again) -> embedding(prompts, o, end, again, progress, Trace.none()), texts, o,
                listener);
    }

    /** Whether the prior has a share in what is drawn. */
    private static boolean imagines(Prompt prompt, Options o) {
        return !prompt.has(LIKE) || o.unclip().likeness() < 1;
    }

    /** Embeddings (n, E) of what is to be seen: the prior's of the texts, the pictures', or their mixture. */
    private Tensor embedding(List<Prompt> prompts, Options o, UnclipTexts.Read read, Draws draws, CascadeProgress progress, Trace trace) {
        double share = prompts.get(0).has(LIKE) ? o.unclip().likeness() : 0;
        Tensor all = Tensor.zeros(prompts.size() * o.count(), told.embed());
        if (share < 1) {
            List<Image> nothing = Collections.nCopies((int) all.size(0), Image.filled(o.width(), o.height(), 0x808080));
            var run = new UnclipPrior.Run((int) all.size(0), draws, draws.noise(), progress, nothing);
            all = prior.get().sample(read, o.unclip(), run, trace).mul(1 - share);
        }
        if (share == 0) {
            return all;
        }
        return images.get().seen(prompts, LIKE, o.count()).mul(share).add(all);
    }

    /** What the decoder is told of embeddings (n, E) and texts, where these are guided first of no picture and no text. */
    private Conditioning given(Tensor embedding, UnclipTexts.Read texts, Trace trace) {
        return projection.use(network -> {
            try (var scope = new Scope()) {
                boolean guided = texts.embeddings().size(0) > embedding.size(0);
                Tensor images = guided ? Tensor.cat(0, network.noImage(embedding.size(0)), embedding) : embedding;
                TextProjection.Told x = network.forward(images, texts.embeddings(), texts.states());
                Tensor seen = Tensor.ones(images.size(0), told.tokens()).to(texts.mask());
                trace.put("text_embeddings", x.states());
                scope.keep(x.label(), x.states());
                return Conditioning.text(x.states()).with(Conditioning.Input.LABEL, x.label())
                        .with(Conditioning.Input.TEXT_MASK, scope.keep(Tensor.cat(1, seen, texts.mask())));
            }
        });
    }

    /** Small pictures (n, 3, h, w), about [-1, 1]. */
    private Tensor draw(Conditioning given, int n, Options o, Noise noise, CascadeProgress progress, Trace trace) {
        return decoder.use(network -> {
            try (var scope = new Scope()) {
                Sampling sampling = Scheduling.of(scheduler, o);
                Tensor start = noise.next(Tensor.zeros(n, RGB, o.height() * small / large, o.width() * small / large))
                        .mul(sampling.initNoiseSigma());
                long rows = given.inputs().get(Conditioning.Input.LABEL).size(0);
                boolean learned = Scheduling.chosen(scheduler, o).learnsVariance();
                Network denoiser = (x, t) -> {
                    Tensor answer = Guidance.guide(answer(network, rows > n ? Tensor.cat(0, x, x) : x, t, given), x, o.guidance(),
                            o.guidanceRescale());
                    return learned ? answer : answer.narrow(1, 0, RGB);
                };
                return scope.keep(sample(sampling, denoiser, start, noise, progress, trace));
            }
        });
    }

    /** Pictures (n, 3, h, w) in [-1, 1] to large ones, which one network draws and another finishes in the last step. */
    private Tensor enlarge(Tensor picture, Options o, Noise noise, CascadeProgress progress, Trace trace) {
        try (var scope = new Scope()) {
            Sampling sampling = enlargement(o);
            Tensor low = Functional.resizeBicubic(picture, o.height(), o.width());
            Tensor start = noise.next(low).mul(sampling.initNoiseSigma());
            double end = sampling.grid().timestep(sampling.grid().calls() - 1);
            Network denoiser = (x, t) -> (t == end ? last : first).use(network ->
                    answer(network, Tensor.cat(1, x, low), t, Conditioning.none()));
            return scope.keep(sample(sampling, denoiser, start, noise, progress, trace));
        }
    }

    private static Tensor sample(Sampling sampling, Network denoiser, Tensor start, Noise noise, CascadeProgress progress, Trace trace) {
        trace.put("latents.0", start);
        Scheduling.record(sampling.grid(), trace);
        return sampling.sample(denoiser, start, noise, step -> {
            trace.put("latents." + (step.index() + 1), step.x());
            return progress.onStep(step);
        });
    }

    private Tensor answer(GlideUNet network, Tensor x, double t, Conditioning given) {
        Tensor time = Tensor.full(t, x.size(0)).to(load.device());
        return network.forward(x.to(load.dtype()).to(load.device()), time, given).to(DType.F32).to(Device.CPU);
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
