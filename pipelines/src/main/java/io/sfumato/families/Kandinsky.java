package io.sfumato.families;

import static io.sfumato.Prompt.Role.INIT;
import static io.sfumato.Prompt.Role.LIKE;
import static io.sfumato.Prompt.Role.MASK;

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
import io.sfumato.diffusion.Step;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.models.unet.Conditioning;
import io.sfumato.models.unet.GlideUNet;
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
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Kandinsky 2.2 (Razzhigaev et al. 2023), an unCLIP over latents: the prior makes an image embedding of the text, a U-Net that sees
 * nothing else draws latents, MoVQ makes the picture. A decoder for inpainting also sees a picture and where it is to stay. Reads the
 * folders of a prior and a decoder as diffusers saves them. Trace: {@code prior.k}, {@code image_embedding} and
 * {@code negative_image_embedding} besides. Where all networks together do not fit into memory, each is let go before the next.
 */
final class Kandinsky implements TextToImage {
    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final LoadOptions load;
    private final UnclipDiffusionPrior prior;
    private final UnclipTexts texts;
    private final UnclipImages images;
    private final Part<GlideUNet> unet;
    private final Part<VqGan> movq;
    private final int channels;
    private final int factor;
    private final boolean learnsVariance;
    private final boolean inpaints;
    private final SchedulerConfig scheduler;
    private final Options defaults;

    /** Image embeddings (n, E) to draw and to be led away from. */
    record Wishes(Tensor wanted, Tensor unwanted) {
    }

    /**
     * What latents are drawn on.
     *
     * @param start  x to begin with, (B, z, h, w)
     * @param beside what the U-Net sees beside x
     * @param hold   puts x right after each step, where a part of the picture is to stay
     */
    private record Canvas(Tensor start, List<Tensor> beside, Step.Listener hold) {
    }

    Kandinsky(ModelFolder model, LoadOptions load) {
        this.load = load;
        KandinskyFolders folders = KandinskyFolders.of(model);
        boolean stays = UnclipMemory.weights(UnclipMemory.parts(folders, load)) <= MemoryEstimate.available();
        try {
            scheduler = SchedulerConfig.of(folders.decoder().scheduler());
            channels = folders.movq().embed();
            factor = 1 << (folders.movq().widths().length - 1);
            inpaints = folders.inpaints();
            learnsVariance = folders.unet().outChannels() == 2 * channels;
            texts = new UnclipTexts(folders.prior(), load, stays);
            closers.push(texts::close);
            prior = new UnclipDiffusionPrior(folders.prior(), "scheduler", texts, load, stays);
            closers.push(prior::close);
            images = new UnclipImages(folders.prior(), "image_processor", load, stays);
            closers.push(images::close);
            if (prior.width() != folders.unet().statesWidth() || prior.width() != images.width()) {
                throw new CheckpointException(folders.prior().path() + ": its prior makes embeddings of " + prior.width()
                        + " numbers, its image encoder of " + images.width() + ", and the U-Net in " + folders.decoder().path()
                        + " takes " + folders.unet().statesWidth());
            }
            unet = hold(new Part<>(unet(folders, load), stays));
            movq = hold(new Part<>(movq(folders, load), stays));
            defaults = FolderDefaults.of(folders.decoder(), Options.defaults().withGuidance(4).withSize(folders.size(), folders.size())
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

    static Part.Recipe<GlideUNet> unet(KandinskyFolders folders, LoadOptions load) {
        var config = folders.unet();
        return new Part.Recipe<>(() -> folders.decoder().weights("unet"), w -> new GlideUNet(w.forRunning(), config), name -> false, load.dtype(),
                load.device());
    }

    static Part.Recipe<VqGan> movq(KandinskyFolders folders, LoadOptions load) {
        VqGan.Config config = folders.movq();
        return new Part.Recipe<>(() -> folders.decoder().weights("movq"), w -> new VqGan(w, config), name -> false, load.dtype(),
                load.device());
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        wanted.shortcuts().requireNone();
        if (prompt.has(MASK) && !inpaints) {
            throw new IllegalArgumentException("this decoder's U-Net sees no mask: a decoder for inpainting is wanted, of the pipeline "
                    + "KandinskyV22InpaintPipeline");
        }
        prompt.still().require(inpaints ? Set.of(INIT, MASK, LIKE) : Set.of(INIT, LIKE), inpaints ? Set.of(INIT, MASK) : Set.of());
        if (inpaints && wanted.strength(prompt) < 1) {
            throw new IllegalArgumentException("strength " + wanted.strength(prompt) + ": a decoder for inpainting draws what is masked "
                    + "from noise alone, so 1 is wanted");
        }
        if (wanted.clipSkip() > 0) {
            throw new IllegalArgumentException("clip skip " + wanted.clipSkip() + ": the prior takes the text encoder's last layer");
        }
        Options o = wanted.sizedFor(prompt).withOpenSides(defaults.width(), defaults.height());
        if (o.width() % factor != 0 || o.height() % factor != 0) {
            throw new IllegalArgumentException("this model draws multiples of " + factor + " pixels, not " + o.width() + "x" + o.height());
        }
        prior.calls(o.unclip());
        sampling(prompt, o);
        return o.sampler().equals(Options.MODELS_OWN) ? o.withSampler(scheduler.className()) : o;
    }

    private Sampling sampling(Prompt prompt, Options o) {
        Sampling whole = Scheduling.of(scheduler, o);
        return prompt.has(INIT) && !inpaints ? DeepFloydStage.from(whole, o.strength(prompt)) : whole;
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options o = complete(prompts.get(0), wanted);
        Prompt.requireAlike(prompts);
        return MaskedArea.drawn(prompts, o, parts -> drawn(parts, o, listener, trace));
    }

    private List<Image> drawn(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        try (Draws draws = new Draws(o, prompts.size() * o.count()); var noGrad = new NoGrad(); var scope = new Scope()) {
            Sampling sampling = sampling(prompts.get(0), o);
            int imagined = prompts.get(0).turn().kind() == Turn.Kind.TEXT ? 2 : 1;
            CascadeProgress progress = new CascadeProgress(listener, imagined * prior.calls(o.unclip())
                    + sampling.grid().calls() - sampling.grid().start());
            Wishes wishes = turned(imagine(prompts, o, draws, progress, listener, trace), prompts, o, progress, listener);
            trace.put("image_embedding", wishes.wanted);
            trace.put("negative_image_embedding", wishes.unwanted);
            return draw(wishes, prompts, o, draws.noise(), progress, trace);
        }
    }

    /** Image embeddings of the prompts, and of what they are to be led away from: of no picture where they say nothing. */
    private Wishes imagine(List<Prompt> prompts, Options o, Draws draws, CascadeProgress progress, Listener listener, Trace trace) {
        boolean guided = o.unclip().priorGuidance() > 1;
        boolean negated = prompts.stream().anyMatch(p -> !p.negative().isEmpty());
        int n = prompts.size() * o.count();
        List<String> words = prompts.stream().map(Prompt::text).toList(), negative = prompts.stream().map(Prompt::negative).toList();
        // With negative prompts these get embeddings of their own, led away from themselves, which leads nowhere.
        List<String> wanted = negated ? Stream.concat(words.stream(), negative.stream()).toList() : words;
        List<String> unwanted = negated ? Stream.concat(negative.stream(), negative.stream()).toList() : negative;
        UnclipTexts.Read read = texts.read(guided ? Stream.concat(unwanted.stream(), wanted.stream()).toList() : wanted, listener)
                .each(o.count());
        trace.put("text_embeddings", read.states());
        trace.put("pooled_text_embeddings", read.embeddings());
        List<Image> nothing = Collections.nCopies(n, Image.filled(o.width(), o.height(), 0x808080));
        Noise noise = negated && !draws.shared() ? like -> inPairs(like, draws.noise()) : draws.noise();
        Tensor sampled = prior.sample(read, o.unclip(), new UnclipPrior.Run(negated ? 2 * n : n, draws, noise, progress, nothing), trace);
        Tensor seen = prompts.get(0).has(LIKE) ? mixed(sampled.narrow(0, 0, n), prompts, o) : sampled.narrow(0, 0, n);
        return new Wishes(seen, negated ? sampled.narrow(0, n, n) : images.nothing().expand(n, prior.width()));
    }

    private Wishes turned(Wishes wishes, List<Prompt> prompts, Options o, CascadeProgress progress, Listener listener) {
        UnclipTurn.Ends ends = new UnclipTurn.Ends(() -> images,
                (to, again) -> imagine(to, o, again, progress, listener, Trace.none()).wanted, texts, o, listener);
        return new Wishes(UnclipTurn.turned(wishes.wanted, prompts, ends), wishes.unwanted);
    }

    /** Each picture's generator draws for its prompt and its negative prompt at once, as for a picture alone. */
    private static Tensor inPairs(Tensor like, Noise noise) {
        long n = like.size(0) / 2;
        return noise.next(like.view(n, 2, like.size(1))).transpose(0, 1).reshape(like.shape());
    }

    /** The prompts' embeddings (n, E), mixed with those of the pictures that are to be varied. */
    private Tensor mixed(Tensor told, List<Prompt> prompts, Options o) {
        double share = o.unclip().likeness();
        return images.seen(prompts, LIKE, o.count()).mul(share).add(told.mul(1 - share));
    }

    /** The decoder's half. */
    List<Image> draw(Wishes wishes, List<Prompt> prompts, Options o, Noise noise, CascadeProgress progress, Trace trace) {
        Sampling sampling = sampling(prompts.get(0), o);
        Tensor like = Tensor.zeros(wishes.wanted.size(0), channels, o.height() / factor, o.width() / factor);
        Canvas canvas = canvas(prompts, o, sampling, noise.next(like));
        trace.put("latents.0", canvas.start);
        Tensor x = unet.use(network -> {
            try (var scope = new Scope()) {
                return scope.keep(sampling.sample(denoiser(network, wishes, canvas, o), canvas.start, noise, step -> {
                    trace.put("latents." + (step.index() + 1), step.x());
                    progress.onStep(step, x0 -> StableDiffusionPixels.images(decode(x0)));
                    return canvas.hold.onStep(step);
                }));
            }
        });
        Scheduling.record(sampling.grid(), trace);
        Tensor picture = decode(x);                                                                 // (B, 3, H, W)
        trace.put("image", picture);
        return StableDiffusionPixels.images(picture);
    }

    private Canvas canvas(List<Prompt> prompts, Options o, Sampling sampling, Tensor noise) {
        if (!prompts.get(0).has(INIT)) {
            return new Canvas(noise.mul(sampling.initNoiseSigma()), List.of(), Step::x);
        }
        Tensor pictures = latents(prompts, o);
        if (!inpaints) {
            return new Canvas(sampling.addNoise(pictures, noise), List.of(), Step::x);
        }
        Tensor kept = kept(prompts, o);
        return new Canvas(noise.mul(sampling.initNoiseSigma()), List.of(pictures.mul(kept), kept),
                sampling.holding(pictures, noise, kept.neg().add(1)));
    }

    /** 0 where the prompts' masks are white and at the latents next to it, but for the two at one diagonal, else 1: (B, 1, h, w). */
    private Tensor kept(List<Prompt> prompts, Options o) {
        Tensor white = Tensor.cat(0, prompts.stream().map(p -> StableDiffusionPixels.mask(p.picture(MASK), o.width(), o.height()))
                .toArray(Tensor[]::new)).repeatInterleave(o.count(), 0);
        Tensor neighbours = Tensor.of(new float[] {1, 1, 0, 1, 1, 1, 0, 1, 1}, 1, 1, 3, 3);
        Tensor near = Functional.conv2d(Functional.upsampleNearest(white, o.height() / factor, o.width() / factor), neighbours,
                Tensor.zeros(1), 1, 1);
        return near.lt(0.5).to(DType.F32);
    }

    private Network denoiser(GlideUNet network, Wishes wishes, Canvas canvas, Options o) {
        boolean guided = o.guidance() > 1, learned = learnsVariance && Scheduling.chosen(scheduler, o).learnsVariance();
        Tensor seen = guided ? Tensor.cat(0, wishes.unwanted, wishes.wanted) : wishes.wanted;
        Conditioning given = Conditioning.none().with(Conditioning.Input.IMAGE, seen.to(load.dtype()).to(load.device()));
        return (x, t) -> {
            Tensor noisy = Tensor.cat(1, Stream.concat(Stream.of(x), canvas.beside.stream()).toArray(Tensor[]::new));
            noisy = (guided ? Tensor.cat(0, noisy, noisy) : noisy).to(load.dtype()).to(load.device());  // (B or 2B, z or 2z+1, h, w)
            Tensor time = Tensor.full(t, noisy.size(0)).to(load.device());
            Tensor out = network.forward(noisy, time, given).to(DType.F32).to(Device.CPU);          // (B or 2B, z or 2z, h, w)
            Tensor answer = Guidance.guide(out, x, o.guidance(), o.guidanceRescale());
            return learned ? answer : answer.narrow(1, 0, channels);
        };
    }

    /** Of the prompts' pictures, {@code count} times each: (B, z, h, w). */
    private Tensor latents(List<Prompt> prompts, Options o) {
        return movq.use(network -> {
            try (var scope = new Scope()) {
                Tensor[] rows = prompts.stream().map(p -> DeepFloydPixels.of(p.picture(INIT), o.width(), o.height()))
                        .map(x -> network.latents(x.to(load.dtype()).to(load.device())).to(DType.F32).to(Device.CPU))
                        .toArray(Tensor[]::new);
                return scope.keep(Tensor.cat(0, rows).repeatInterleave(o.count(), 0));
            }
        });
    }

    /** Latents (B, z, h, w) to pictures (B, 3, H, W) in [0, 1], one at a time. */
    private Tensor decode(Tensor latents) {
        return movq.use(network -> {
            try (var scope = new Scope()) {
                return scope.keep(Tensor.cat(0, IntStream.range(0, (int) latents.size(0)).mapToObj(i ->
                        network.picture(latents.narrow(0, i, 1).to(load.dtype()).to(load.device())).to(DType.F32).to(Device.CPU)
                                .mul(0.5).add(0.5).clamp(0, 1)).toArray(Tensor[]::new)));
            }
        });
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
