package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
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
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Karlo, an open unCLIP (Ramesh et al. 2022): the prior makes an image embedding of the text, the decoder draws small pixels that show
 * both, and two networks enlarge these, one for all steps but the last. Reads a diffusers {@code UnCLIPPipeline} folder. Trace:
 * {@code prior.k}, {@code image_embedding}, and {@code stage2.latents.k} of the enlargement. Where all networks together do not fit into
 * memory, each is let go before the next.
 */
final class Karlo implements TextToImage {
    private static final int RGB = 3;

    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final LoadOptions load;
    private final UnclipPrior prior;
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
            prior = new UnclipPrior(folder, "prior_scheduler", load, stays);
            closers.push(prior::close);
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
        return new Part.Recipe<>(() -> folder.weights(component), w -> new GlideUNet(w, config), name -> false, load.dtype(),
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
        if (prior.width() != told.embed() || c.timeWidth() != told.timeWidth() || c.pooledWidth() != told.context()) {
            throw new CheckpointException(folder.path() + ": text_proj takes embeddings of " + told.embed() + " numbers and tells "
                    + told.timeWidth() + " to the time and " + told.context() + " to attention, where the prior makes " + prior.width()
                    + " and the decoder takes " + c.timeWidth() + " and " + c.pooledWidth());
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
        prompt.require(Set.of(), Set.of());
        if (!prompt.negative().isEmpty()) {
            throw new IllegalArgumentException("this model takes no negative prompt: it is led away from the empty one");
        }
        if (wanted.clipSkip() > 0) {
            throw new IllegalArgumentException("clip skip " + wanted.clipSkip() + ": the prior takes the text encoder's last layer");
        }
        Options o = wanted.withSize(wanted.width() == Options.OF_MODEL ? large : wanted.width(),
                wanted.height() == Options.OF_MODEL ? large : wanted.height());
        if ((long) o.width() * small % large != 0 || (long) o.height() * small % large != 0) {
            throw new IllegalArgumentException("this model enlarges " + small + " pixels to " + large + ": it cannot make " + o.width()
                    + "x" + o.height());
        }
        prior.sampling(o.unclip());
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
        int n = prompts.size() * o.count();
        try (Draws draws = new Draws(o, n); var noGrad = new NoGrad(); var scope = new Scope()) {
            CascadeProgress progress = new CascadeProgress(listener, prior.sampling(o.unclip()).grid().calls()
                    + Scheduling.of(scheduler, o).grid().calls() + enlargement(o).grid().calls());
            boolean guided = o.unclip().priorGuidance() > 1 || o.guidance() > 1;
            Stream<String> texts = prompts.stream().map(Prompt::text);
            List<String> rows = (guided ? Stream.concat(prompts.stream().map(Prompt::negative), texts) : texts).toList();
            UnclipPrior.Texts read = prior.read(rows, listener).each(o.count());
            List<Image> nothing = Collections.nCopies(n, Image.filled(o.width(), o.height(), 0x808080));
            Tensor embedding = prior.sample(read, o.unclip(), new UnclipPrior.Run(n, draws.noise(), progress, nothing), trace);
            trace.put("image_embedding", embedding);                                                    // (n, E)
            Tensor picture = draw(given(embedding, read, trace), n, o, draws.noise(), progress, trace);
            picture = enlarge(picture.clamp(-1, 1), o, draws.noise(), progress, trace.under("stage2.")).mul(0.5).add(0.5).clamp(0, 1);
            trace.put("image", picture);
            return StableDiffusionPixels.images(picture);
        }
    }

    /** What the decoder is told of embeddings (n, E) and texts, where these are guided first of no picture and no text. */
    private Conditioning given(Tensor embedding, UnclipPrior.Texts texts, Trace trace) {
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
