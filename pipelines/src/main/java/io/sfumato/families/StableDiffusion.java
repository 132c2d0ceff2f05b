package io.sfumato.families;

import io.sfumato.HiresUpscaler;
import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Stable Diffusion 1 and 2 (Rombach et al. 2022): CLIP reads the prompt, a U-Net denoises latents, an autoencoder makes the picture.
 * Reads a diffusers {@code StableDiffusionPipeline} folder; a safety checker in it is left alone.
 */
final class StableDiffusion implements TextToImage {
    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final LoadOptions load;
    private final ClipTokenizer tokenizer;
    private final ClipText text;
    private final UNet2DCondition unet;
    private final StableDiffusionLatents latents;
    private final StableDiffusionKind kind;
    private final SchedulerConfig scheduler;
    private final Options defaults;

    StableDiffusion(ModelFolder folder, LoadOptions load) {
        this.load = load;
        try {
            tokenizer = folder.tokenizer();
            ConfigJson unetJson = folder.config("unet");
            UNetConfig unetConfig = UNetConfig.of(unetJson);
            AutoencoderKl.Config vaeConfig = AutoencoderKl.Config.of(folder.config("vae"));
            kind = StableDiffusionKind.of(folder.pipeline(), unetJson, unetConfig, vaeConfig);
            ClipText.Config textConfig = ClipText.Config.of(folder.config("text_encoder"));
            requireFit(folder, tokenizer, textConfig, unetConfig);
            text = build(folder, "text_encoder", w -> new ClipText(w, textConfig), name -> name.endsWith(ClipText.POSITION_IDS));
            unet = build(folder, "unet",
                    w -> new UNet2DCondition((load.int8() ? w.multipliedInEightBits() : w).forRunning(), unetConfig), name -> false);
            latents = new StableDiffusionLatents(build(folder, "vae", w -> new AutoencoderKl(w, vaeConfig), name -> false), load,
                    lowAlphas(folder));
            scheduler = SchedulerConfig.of(folder.scheduler());
            int size = unetJson.integer("sample_size", 64) * vaeConfig.factor();
            defaults = FolderDefaults.of(folder, Options.defaults().withSize(size, size).withSampler(scheduler.className()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Parts of different models are told before a product of theirs fails. */
    private static void requireFit(ModelFolder folder, ClipTokenizer tokenizer, ClipText.Config text, UNetConfig unet) {
        if (tokenizer.vocabSize() > text.vocabulary()) {
            throw folder.config("text_encoder").wrong("vocab_size", text.vocabulary(), tokenizer.vocabSize() + ", as many as its tokenizer has,");
        }
        int[] seen = unet.textWidth() > 0 ? new int[] {unet.textWidth()}
                : IntStream.range(0, unet.widths().length).filter(i -> unet.downAttends()[i]).map(i -> unet.contextWidths()[i]).toArray();
        if (IntStream.of(seen).anyMatch(width -> width != text.width())) {
            throw folder.config("unet").wrong(unet.textWidth() > 0 ? "encoder_hid_dim" : "cross_attention_dim", Arrays.toString(seen),
                    text.width() + ", the width of its text encoder,");
        }
    }

    private double[] lowAlphas(ModelFolder folder) {
        return kind != StableDiffusionKind.ENLARGING ? new double[0]
                : SchedulerConfig.of(folder.scheduler("low_res_scheduler")).alphasCumprod();
    }

    private <M> M build(ModelFolder folder, String component, Function<Weights, M> network, Predicate<String> extras) {
        TensorSource source = folder.weights(component);
        closers.push(source::close);
        Weights weights = Weights.load(source, load.dtype(), load.device());
        closers.push(weights::close);
        return weights.build(network, extras);
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        kind.require(prompt);
        Options o = kind.sized(wanted, prompt, latents.factor()).withOpenSides(defaults.width(), defaults.height());
        StableDiffusionNetwork.check(unet.config(), Scheduling.of(scheduler, o).grid(), o);
        kind.check(o, prompt, unet.config());
        text.requireSkip(o.clipSkip());
        return o.sampler().equals(Options.MODELS_OWN) ? o.withSampler(scheduler.className()) : o;
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options o = complete(prompts.get(0), wanted);
        Prompt.requireAlike(prompts);
        return MaskedArea.drawn(prompts, o, parts -> drawn(parts, o, listener, trace));
    }

    private List<Image> drawn(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        try (Draws draws = new Draws(o, prompts.size() * o.count()); var noGrad = new NoGrad(); var scope = new Scope()) {
            var canvas = StableDiffusionCanvas.of(kind, prompts, o, Scheduling.of(scheduler, o), latents, draws);
            return StableDiffusionPixels.images(picture(sample(prompts, o, canvas, draws, listener, trace), trace));
        }
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options first, HiresUpscaler.OfLatents upscaler, Options second,
            Listener listener, Trace trace) {
        if (kind != StableDiffusionKind.PLAIN) {
            throw new IllegalArgumentException("hires upscaler '" + upscaler.name() + "': this model looks at more than its latents;"
                    + " Lanczos, Bicubic and Bilinear enlarge the picture");
        }
        Options o = complete(prompts.get(0), first);
        Prompt.requireAlike(prompts);
        int n = prompts.size() * o.count(), f = latents.factor();
        try (Draws draws = new Draws(o, n); Draws again = new Draws(second, n); var noGrad = new NoGrad(); var scope = new Scope()) {
            var small = StableDiffusionCanvas.of(kind, prompts, o, Scheduling.of(scheduler, o), latents, draws);
            Tensor x = sample(prompts, o, small, draws, listener, Trace.none());                            // (B, z, h, w)
            x = upscaler.resize(x, second.height() / f, second.width() / f);
            var large = StableDiffusionCanvas.over(x, second, Scheduling.of(scheduler, second), again);
            return StableDiffusionPixels.images(picture(sample(prompts, second, large, again, listener, trace), trace));
        }
    }

    private Tensor sample(List<Prompt> prompts, Options o, StableDiffusionCanvas canvas, Draws draws, Listener listener, Trace trace) {
        Tensor context = encode(prompts, o, listener);                                              // (B, 2B or 3B, L, D)
        return canvas.draw(unet, load, context, o, draws, latents::decode, listener, trace);
    }

    private Tensor picture(Tensor x, Trace trace) {
        Tensor picture = latents.decode(x);                                                                 // (B, 3, H, W)
        trace.put("image", picture);
        return picture;
    }

    /**
     * Enlarges what another model has just drawn, one picture for each prompt, with the generators that drew it.
     *
     * @param small (B, 3, h, w), about [-1, 1]
     * @return (B, 3, fh, fw) in [0, 1], f being how many pixels a latent spans
     */
    Tensor enlarge(List<Prompt> prompts, Tensor small, Options wanted, Draws draws, Listener listener, Trace trace) {
        int f = latents.factor();
        Options o = wanted.withSize((int) small.size(3) * f, (int) small.size(2) * f);
        kind.check(o, prompts.get(0), unet.config());
        var canvas = StableDiffusionCanvas.enlarging(prompts, small, o, Scheduling.of(scheduler, o), latents, draws);
        return picture(sample(prompts, o, canvas, draws, listener, trace), trace);
    }

    /**
     * Text states of every picture of the batch: when guided, the negative ones first; for edits first the prompt's, then the negative
     * ones for the answer that sees the picture and for the one that does not.
     */
    private Tensor encode(List<Prompt> prompts, Options o, Listener listener) {
        // As in diffusers, layers are left out for the prompt alone, and never for edits.
        boolean edits = kind == StableDiffusionKind.EDITING;
        Tensor wanted = rows(prompts, Prompt::text, edits ? 0 : o.clipSkip(), listener);
        if (!(o.guidance() > 1) || edits && o.imageGuidance() < 1) {
            return wanted.repeatInterleave(o.count(), 0);
        }
        Tensor unwanted = rows(prompts, Prompt::negative, 0, listener);
        Tensor[] rows = edits ? new Tensor[] {wanted, unwanted, unwanted} : new Tensor[] {unwanted, wanted};
        return Tensor.cat(0, rows).repeatInterleave(o.count(), 0);
    }

    private Tensor rows(List<Prompt> prompts, Function<Prompt, String> of, int skip, Listener listener) {
        return Tensor.cat(0, prompts.stream().map(p -> encode(of.apply(p), skip, listener)).toArray(Tensor[]::new));
    }

    private Tensor encode(String prompt, int skip, Listener listener) {
        ClipTokenizer.Encoded encoded = tokenizer.encode(prompt);
        if (!encoded.cutOff().isEmpty()) {
            listener.onWarning("the prompt has more than " + tokenizer.maxLength() + " tokens; cut off: " + encoded.cutOff());
        }
        return text.forward(Tensor.of(encoded.ids()).unsqueeze(0).to(load.device()), skip);                 // (1, L, D)
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
