package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.diffusion.Network;
import io.sfumato.diffusion.Samplers;
import io.sfumato.diffusion.Sampling;
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
import java.util.Set;
import java.util.function.Function;

/**
 * Imagen (Saharia et al. 2022) in miniature: a frozen language model reads the prompt, a small U-Net denoises the latents of a small
 * picture, and a last network makes it four times larger. A folder whose {@code model_index.json} names {@code MiniaturePipeline} has
 * {@code text_encoder/config.json} (which language model, and for how many tokens), {@code unet}, {@code vae}, {@code scheduler} as
 * diffusers has them, and may have {@code upscaler}.
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
            text = new MiniLm(load);
            closers.push(text::close);
            ConfigJson unetJson = folder.config("unet");
            unet = build(folder, "unet", w -> new UNet2DCondition(
                    (load.int8() ? w.multipliedInEightBits() : w).forRunning(), UNetConfig.of(unetJson)));
            latents = new StableDiffusionLatents(build(folder, "vae",
                    w -> new AutoencoderKl(w, AutoencoderKl.Config.of(folder.config("vae")))), load, new double[0]);
            upscaler = !hasUpscaler(folder) ? Optional.empty()
                    : Optional.of(build(folder, "upscaler", w -> new Upscaler(w, Upscaler.Config.of(folder.config("upscaler")))));
            scheduler = SchedulerConfig.of(folder.scheduler());
            int size = size(folder, unetJson.integer("sample_size", 16) * latents.factor());
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

    private static boolean hasUpscaler(ModelFolder folder) {
        return Files.exists(folder.path().resolve("upscaler/config.json"));
    }

    private static int size(ModelFolder folder, int base) {
        return hasUpscaler(folder) ? base * Upscaler.Config.of(folder.config("upscaler")).scale() : base;
    }

    /** As for Stable Diffusion, with the upscaler's features at the small size and its pixels at the large one. */
    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options o) {
        prompt.require(Set.of(), Set.of());
        int own = size(folder, folder.config("unet").integer("sample_size", 16) * AutoencoderKl.Config.of(folder.config("vae")).factor());
        int width = o.width() == Options.OF_MODEL ? own : o.width(), height = o.height() == Options.OF_MODEL ? own : o.height();
        if (!hasUpscaler(folder) || Math.max(width, height) < LARGE) {
            return withText(StableDiffusionMemory.of(folder, load, List.of("unet", "vae"), width, height, o), load, 0);
        }
        Upscaler.Config c = Upscaler.Config.of(folder.config("upscaler"));
        double pixels = (double) width * height, features = pixels / c.scale() / c.scale() * 6 * c.width() + pixels * c.channels() * 4;
        MemoryEstimate small = StableDiffusionMemory.of(folder, load, List.of("unet", "vae", "upscaler"), width / c.scale(),
                height / c.scale(), o);
        return withText(small.withSize(width, height), load, features);
    }

    private static MemoryEstimate withText(MemoryEstimate image, LoadOptions load, double activations) {
        return new MemoryEstimate(image.count(), image.width(), image.height(), image.weights() + MiniLm.PARAMETERS * load.dtype().bytes(),
                Math.max(image.activations(), (long) (activations * load.dtype().bytes())));
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        prompt.require(Set.of(), Set.of());
        Options o = wanted.width() == Options.OF_MODEL ? wanted.withSize(defaults.width(), defaults.height()) : wanted;
        int scale = scale(o), step = scale * latents.factor();
        if (o.width() % step != 0 || o.height() % step != 0) {
            throw new IllegalArgumentException("size " + o.width() + "x" + o.height() + ": this model draws multiples of " + step
                    + (scale > 1 ? " from " + LARGE + " pixels on" : ""));
        }
        if (o.clipSkip() > 0) {
            throw new IllegalArgumentException("clip skip " + o.clipSkip()
                    + ": this model's text encoder is not CLIP, no layer is skipped");
        }
        StableDiffusionNetwork.check(unet.config(), Sampling.of(chosen(o), o.steps(), o.eta()).grid(), o);
        return o.sampler().equals(Options.MODELS_OWN) ? o.withSampler(scheduler.className()) : o;
    }

    private int scale(Options o) {
        return upscaler.isEmpty() || Math.max(o.width(), o.height()) < LARGE ? 1 : upscaler.get().config().scale();
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options o = complete(prompts.get(0), wanted);
        Prompt.requireAlike(prompts);
        Sampling sampling = Sampling.of(chosen(o), o.steps(), o.eta());
        int n = prompts.size() * o.count(), f = latents.factor() * scale(o);
        try (Draws draws = new Draws(o, n); var noGrad = new NoGrad(); var scope = new Scope()) {
            boolean guided = o.guidance() > 1;
            Tensor context = encode(prompts, o, guided, listener);                                        // (B or 2B, L, D)
            trace.put("text_embeddings", context);
            Tensor like = Tensor.zeros(n, latents.channels(), o.height() / f, o.width() / f);
            Tensor x = draws.noise().next(like).mul(sampling.initNoiseSigma());                           // (B, z, h, w)
            trace.put("latents.0", x);
            try (DeepCache cached = new DeepCache(unet, o.shortcuts().deepCache())) {
                Network network = new StableDiffusionNetwork(cached, load, List.of(), context,
                        StableDiffusionNetwork.interval(sampling.grid(), o), o);
                x = sampling.sample(network, x, draws.noise(), step -> {
                    trace.put("latents." + (step.index() + 1), step.x());
                    listener.onStep(new Listener.Step(step.index() + 1, step.total(), step.timestep(), () ->
                            StableDiffusionPixels.images(decode(step.x0(), o))));
                    return step.x();
                });
            }
            trace.put("timesteps", Tensor.of(sampling.grid().timesteps(), sampling.grid().calls()));
            if (sampling.grid().sigmas().length > 0) {
                trace.put("sigmas", Tensor.of(sampling.grid().sigmas(), sampling.grid().sigmas().length));
            }
            Tensor picture = decode(x, o);                                                                  // (B, 3, H, W)
            trace.put("image", picture);
            return StableDiffusionPixels.images(picture);
        }
    }

    private SchedulerConfig chosen(Options o) {
        SchedulerConfig config = o.sampler().equals(Options.MODELS_OWN) || o.sampler().equals(scheduler.className())
                ? scheduler : Samplers.choose(scheduler, o.sampler());
        return o.schedule().equals(Options.MODELS_OWN) ? config : Samplers.schedule(config, o.schedule());
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
    private Tensor decode(Tensor x, Options o) {
        try (var scope = new Scope()) {
            Tensor small = latents.decode(x);                                                               // (B, 3, h, w)
            if (scale(o) == 1) {
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
