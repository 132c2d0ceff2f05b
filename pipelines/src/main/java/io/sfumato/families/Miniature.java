package io.sfumato.families;

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
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.upscaler.Upscaler;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.WordPiece;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Imagen (Saharia et al. 2022) in miniature: a frozen language model reads the prompt, a small U-Net denoises the latents of a small
 * picture, and a last network makes it four times larger. A picture to draw over, or in, is looked at in the small size. A folder whose
 * {@code model_index.json} names {@code MiniaturePipeline} has {@code text_encoder/config.json} (which language model, how many of its
 * layers, and for how many tokens), {@code unet}, {@code vae}, {@code scheduler} as diffusers has them, and may have {@code upscaler}.
 */
final class Miniature implements TextToImage {
    /** From this size on a picture is drawn small and made larger. */
    private static final int LARGE = 128;

    private final Deque<Runnable> closers = new ArrayDeque<>();
    private final LoadOptions load;
    private final MiniLm text;
    private final int tokens;
    private final UNet2DCondition unet;
    private final StableDiffusionLatents latents;
    private final Optional<Upscaler> upscaler;
    private final int enlarges;
    private final SchedulerConfig scheduler;
    private final Options defaults;

    Miniature(ModelFolder folder, LoadOptions load) {
        this.load = load;
        try {
            ConfigJson textJson = folder.config("text_encoder");
            if (!textJson.text("name", "").equals(MiniLm.NAME)) {
                throw textJson.wrong("name", textJson.text("name", ""), MiniLm.NAME);
            }
            tokens = textJson.integer("tokens", 32);
            text = new MiniLm(load, layers(textJson));
            closers.push(text::close);
            ConfigJson unetJson = folder.config("unet");
            unet = build(folder, "unet", w -> new UNet2DCondition(
                    (load.int8() ? w.multipliedInEightBits() : w).forRunning(), UNetConfig.of(unetJson)));
            latents = new StableDiffusionLatents(build(folder, "vae",
                    w -> new AutoencoderKl(w, AutoencoderKl.Config.of(folder.config("vae")))), load, new double[0]);
            upscaler = !hasUpscaler(folder) ? Optional.empty()
                    : Optional.of(build(folder, "upscaler", w -> new Upscaler(w, Upscaler.Config.of(folder.config("upscaler")))));
            scheduler = SchedulerConfig.of(folder.scheduler());
            enlarges = enlarges(folder);
            int size = unetJson.integer("sample_size", 16) * latents.factor() * enlarges;
            defaults = FolderDefaults.of(folder, Options.defaults().withSize(size, size).withSampler(scheduler.className()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <M> M build(ModelFolder folder, String component, Function<Weights, M> network) {
        TensorSource source = folder.weights(component);
        closers.push(source::close);
        Weights weights = Weights.load(source, load.dtype(), load.device());
        closers.push(weights::close);
        return weights.build(network, name -> false);
    }

    /** How many layers of the language model a prompt goes through. */
    private static int layers(ConfigJson textJson) {
        int layers = textJson.integer("layers", MiniLm.LAYERS);
        if (layers < 0 || layers > MiniLm.LAYERS) {
            throw textJson.wrong("layers", layers, "0 to " + MiniLm.LAYERS);
        }
        return layers;
    }

    private static boolean hasUpscaler(ModelFolder folder) {
        return Files.exists(folder.path().resolve("upscaler/config.json"));
    }

    /** How many times larger the upscaler makes a picture: 1 where there is none. */
    private static int enlarges(ModelFolder folder) {
        return hasUpscaler(folder) ? Upscaler.Config.of(folder.config("upscaler")).scale() : 1;
    }

    /** A side that is left open is the init picture's, rounded down to what can be drawn, or {@code own}. */
    private static Options sized(Prompt prompt, Options wanted, int own, int factor, int enlarges) {
        Options o = wanted.sizedFor(prompt).withOpenSides(own, own);
        int step = factor * scale(o, enlarges);
        return wanted.withOpenSides(Math.max(1, o.width() / step) * step, Math.max(1, o.height() / step) * step);
    }

    private static int scale(Options o, int enlarges) {
        return Math.max(o.width(), o.height()) < LARGE ? 1 : enlarges;
    }

    /** As for Stable Diffusion, with the upscaler's features at the small size and its pixels at the large one. */
    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options wanted) {
        StableDiffusionKind.PLAIN.require(prompt);
        int factor = AutoencoderKl.Config.of(folder.config("vae")).factor(), enlarges = enlarges(folder);
        Options o = sized(prompt, wanted, folder.config("unet").integer("sample_size", 16) * factor * enlarges, factor, enlarges);
        if (scale(o, enlarges) == 1) {
            return withText(folder, StableDiffusionMemory.of(folder, load, List.of("unet", "vae"), o.width(), o.height(), o), load, 0);
        }
        Upscaler.Config c = Upscaler.Config.of(folder.config("upscaler"));
        double pixels = (double) o.width() * o.height();
        double features = pixels / c.scale() / c.scale() * 6 * c.width() + pixels * c.channels() * 4;
        MemoryEstimate small = StableDiffusionMemory.of(folder, load, List.of("unet", "vae", "upscaler"), o.width() / c.scale(),
                o.height() / c.scale(), o);
        return withText(folder, small.withSize(o.width(), o.height()), load, features);
    }

    private static MemoryEstimate withText(ModelFolder folder, MemoryEstimate image, LoadOptions load, double activations) {
        long text = MiniLm.parameters(layers(folder.config("text_encoder")));
        return new MemoryEstimate(image.count(), image.width(), image.height(), image.weights() + text * load.dtype().bytes(),
                Math.max(image.activations(), (long) (activations * load.dtype().bytes())));
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        StableDiffusionKind.PLAIN.require(prompt);
        Options o = sized(prompt, wanted, defaults.width(), latents.factor(), enlarges);
        int scale = scale(o, enlarges), step = scale * latents.factor();
        if (o.width() % step != 0 || o.height() % step != 0) {
            throw new IllegalArgumentException("size " + o.width() + "x" + o.height() + ": this model draws multiples of " + step
                    + (scale > 1 ? " from " + LARGE + " pixels on" : ""));
        }
        if (o.clipSkip() > 0) {
            throw new IllegalArgumentException("clip skip " + o.clipSkip()
                    + ": this model's text encoder is not CLIP, no layer is skipped");
        }
        StableDiffusionNetwork.check(unet.config(), Scheduling.of(scheduler, o).grid(), o);
        StableDiffusionKind.PLAIN.check(o, prompt, unet.config());
        return o.sampler().equals(Options.MODELS_OWN) ? o.withSampler(scheduler.className()) : o;
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options o = complete(prompts.get(0), wanted);
        Prompt.requireAlike(prompts);
        return MaskedArea.drawn(prompts, o, parts -> drawn(parts, o, listener, trace));
    }

    private List<Image> drawn(List<Prompt> prompts, Options o, Listener listener, Trace trace) {
        int scale = scale(o, enlarges);
        try (Draws draws = new Draws(o, prompts.size() * o.count()); var noGrad = new NoGrad(); var scope = new Scope()) {
            var canvas = StableDiffusionCanvas.of(StableDiffusionKind.PLAIN, prompts, o, scale, Scheduling.of(scheduler, o), latents,
                    draws);
            Tensor context = encode(prompts, o, o.guidance() > 1, listener);                              // (B or 2B, L, D)
            Tensor x = canvas.draw(unet, load, context, o, draws, z -> decode(z, scale), listener, trace);  // (B, z, h, w)
            Tensor picture = decode(x, scale);                                                              // (B, 3, H, W)
            trace.put("image", picture);
            return StableDiffusionPixels.images(picture);
        }
    }

    /** Text states of every picture of the batch, the negative ones first when guided. */
    private Tensor encode(List<Prompt> prompts, Options o, boolean guided, Listener listener) {
        List<Tensor> rows = new ArrayList<>();
        if (guided) {
            prompts.forEach(p -> rows.add(encode(p.negative(), listener)));
        }
        prompts.forEach(p -> rows.add(encode(p.text(), listener)));
        return Tensor.stack(0, rows.toArray(Tensor[]::new)).repeatInterleave(o.count(), 0);
    }

    private Tensor encode(String prompt, Listener listener) {
        WordPiece.Encoded encoded = text.encode(prompt, tokens);
        if (encoded.cut() > 0) {
            listener.onWarning("the prompt has " + (tokens + encoded.cut()) + " tokens; this model reads the first " + tokens);
        }
        return MiniLm.padded(text.states(encoded.ids()), tokens);                                           // (L, D)
    }

    /** Latents (B, z, h, w) to pictures (B, 3, H, W) in [0, 1], one at a time, which bounds the memory. */
    private Tensor decode(Tensor x, int scale) {
        try (var scope = new Scope()) {
            Tensor small = latents.decode(x);                                                               // (B, 3, h, w)
            if (scale == 1) {
                return scope.keep(small);
            }
            Tensor[] pictures = new Tensor[(int) small.size(0)];
            for (int i = 0; i < pictures.length; i++) {
                Tensor picture = small.narrow(0, i, 1).mul(2).sub(1).to(load.dtype()).to(load.device());
                pictures[i] = upscaler.get().forward(picture).to(DType.F32).mul(0.5).add(0.5).clamp(0, 1);
            }
            return scope.keep(Tensor.cat(0, pictures));
        }
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
