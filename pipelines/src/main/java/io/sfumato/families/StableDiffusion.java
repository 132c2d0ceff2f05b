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
import io.sfumato.diffusion.Samplers;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.diffusion.Step;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import java.util.stream.Stream;

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
    private final AutoencoderKl vae;
    private final SchedulerConfig scheduler;
    private final Options defaults;

    StableDiffusion(ModelFolder folder, LoadOptions load) {
        this.load = load;
        try {
            tokenizer = ClipTokenizer.load(folder.folder("tokenizer"));
            ConfigJson unetJson = folder.config("unet");
            text = build(folder, "text_encoder", w -> new ClipText(w, ClipText.Config.of(folder.config("text_encoder"))),
                    name -> name.endsWith(ClipText.POSITION_IDS));
            unet = build(folder, "unet", w -> new UNet2DCondition(w, UNetConfig.of(unetJson)), name -> false);
            vae = build(folder, "vae", w -> new AutoencoderKl(w, AutoencoderKl.Config.of(folder.config("vae"))), name -> false);
            scheduler = SchedulerConfig.of(JsonFile.read(folder.folder("scheduler").resolve("scheduler_config.json")));
            int size = unetJson.integer("sample_size", 64) * vae.config().factor();
            defaults = FolderDefaults.of(folder, Options.defaults().withSize(size, size).withSampler(scheduler.className()));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <M> M build(ModelFolder folder, String component, Function<Weights, M> network, Predicate<String> extras) {
        TensorSource source = folder.weights(component);
        closers.push(source::close);
        Weights weights = Weights.load(source, load.dtype(), load.device());
        closers.push(weights::close);
        return weights.build(network, extras);
    }

    /**
     * Activations, by counting what the scopes of the networks hold at once. Attention is computed in blocks, so its scores are never
     * held whole; pictures are decoded one at a time.
     */
    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Options o) {
        ConfigJson json = folder.config("unet");
        UNetConfig unet = UNetConfig.of(json);
        AutoencoderKl.Config vae = AutoencoderKl.Config.of(folder.config("vae"));
        int own = json.integer("sample_size", 64) * vae.factor();
        int width = o.width() == Options.OF_MODEL ? own : o.width();
        int height = o.height() == Options.OF_MODEL ? own : o.height();
        double pixels = (double) width * height;
        double latents = pixels / vae.factor() / vae.factor();
        double denoising = o.count() * (o.guidance() > 1 ? 2 : 1) * latents * unetNumbers(unet);
        double decoding = pixels * decoderNumbers(vae);
        double pictures = o.count() * pixels * vae.outChannels() * 2;
        long weights = Stream.of("text_encoder", "unet", "vae").mapToLong(component -> parameters(folder, component)).sum();
        return new MemoryEstimate(o.count() + (o.count() == 1 ? " picture of " : " pictures of ") + width + "x" + height,
                weights * load.dtype().bytes(), (long) ((Math.max(denoising, decoding) + pictures) * load.dtype().bytes()));
    }

    private static long parameters(ModelFolder folder, String component) {
        try (TensorSource source = folder.weights(component)) {
            return source.names().stream().mapToLong(name -> LongStream.of(source.shape(name)).reduce(1, (a, b) -> a * b)).sum();
        }
    }

    /** Numbers for each latent pixel: the skips of all levels, and what the widest block works with. */
    private static double unetNumbers(UNetConfig c) {
        double skips = c.widths()[0];
        double widest = 0;
        for (int i = 0; i < c.widths().length; i++) {
            double pixels = Math.pow(0.25, i);
            int below = c.widths()[Math.min(i + 1, c.widths().length - 1)];
            skips += pixels * (c.layers()[i] + 1) * c.widths()[i];
            // A residual block: its input and both halves of it, twice normed and convolved; a Transformer: projections, three times
            // normed tokens, and a feed-forward layer of 16 widths.
            double residual = 3.0 * (c.widths()[i] + below) + 6.0 * c.widths()[i];
            double transformer = c.downAttends()[i] || c.upAttends()[i] ? 32.0 * c.widths()[i] : 0;
            widest = Math.max(widest, pixels * Math.max(residual, transformer));
        }
        return skips + widest;
    }

    /** Numbers for each pixel: the last level works at the full size, its first block from the width of the level below. */
    private static double decoderNumbers(AutoencoderKl.Config c) {
        int below = c.widths()[Math.min(1, c.widths().length - 1)];
        return 3.0 * below + 7.0 * c.widths()[0];
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Options wanted) {
        Options o = wanted.width() == Options.OF_MODEL ? wanted.withSize(defaults.width(), defaults.height()) : wanted;
        Sampling.of(chosen(o), o.steps(), o.eta());
        text.requireSkip(o.clipSkip());
        return o.sampler().equals(Options.MODELS_OWN) ? o.withSampler(scheduler.className()) : o;
    }

    @Override
    public synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options o = complete(wanted);
        Sampling sampling = Sampling.of(chosen(o), o.steps(), o.eta());
        int n = prompts.size() * o.count();
        try (Draws draws = new Draws(o, n); var noGrad = new NoGrad(); var scope = new Scope()) {
            boolean guided = o.guidance() > 1;
            Tensor context = encode(prompts, o, guided, listener);                                        // (B or 2B, L, D)
            trace.put("text_embeddings", context);
            int f = vae.config().factor();
            Tensor like = Tensor.zeros(n, vae.config().latentChannels(), o.height() / f, o.width() / f);
            Tensor x = draws.noise().next(like).mul(sampling.initNoiseSigma());                           // (B, z, h, w)
            trace.put("latents.0", x);
            Network network = (latents, t) -> guidedAnswer(latents, t, context, o, guided);
            x = sampling.sample(network, x, draws.noise(), step -> {
                trace.put("latents." + (step.index() + 1), step.x());
                listener.onStep(new Listener.Step(step.index() + 1, step.total(), step.timestep(), () -> images(decode(step.x0()))));
            });
            trace.put("timesteps", Tensor.of(sampling.grid().timesteps(), sampling.grid().calls()));
            if (sampling.grid().sigmas().length > 0) {
                trace.put("sigmas", Tensor.of(sampling.grid().sigmas(), sampling.grid().sigmas().length));
            }
            Tensor picture = decode(x);                                                                     // (B, 3, H, W)
            trace.put("image", picture);
            return images(picture);
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
            // As in diffusers, layers are left out for the prompt alone.
            prompts.forEach(p -> rows.add(encode(p.negative(), 0, listener)));
        }
        prompts.forEach(p -> rows.add(encode(p.text(), o.clipSkip(), listener)));
        return Tensor.cat(0, rows.toArray(Tensor[]::new)).repeatInterleave(o.count(), 0);
    }

    private Tensor encode(String prompt, int skip, Listener listener) {
        ClipTokenizer.Encoded encoded = tokenizer.encode(prompt);
        if (!encoded.cutOff().isEmpty()) {
            listener.onWarning("the prompt has more than " + tokenizer.maxLength() + " tokens; cut off: " + encoded.cutOff());
        }
        return text.forward(Tensor.of(encoded.ids()).unsqueeze(0).to(load.device()), skip);                 // (1, L, D)
    }

    private Tensor guidedAnswer(Tensor x, double t, Tensor context, Options o, boolean guided) {
        Tensor input = (guided ? Tensor.cat(0, x, x) : x).to(context);
        Tensor time = Tensor.full(t, input.size(0)).to(load.device());
        Tensor out = unet.forward(input, time, context).to(DType.F32);
        if (!guided) {
            return out.to(x);
        }
        Tensor[] halves = out.chunk(2, 0);
        Tensor answer = Guidance.guide(halves[0], halves[1], o.guidance());
        return (o.guidanceRescale() > 0 ? Guidance.rescale(answer, halves[1], o.guidanceRescale()) : answer).to(x);
    }

    /** Latents (B, z, h, w) to pictures (B, 3, H, W) in [0, 1], one at a time, which bounds the memory. */
    private Tensor decode(Tensor latents) {
        try (var scope = new Scope()) {
            Tensor[] pictures = new Tensor[(int) latents.size(0)];
            for (int i = 0; i < pictures.length; i++) {
                Tensor z = latents.narrow(0, i, 1).div(vae.config().scalingFactor()).to(load.dtype()).to(load.device());
                pictures[i] = vae.decode(z).to(DType.F32).mul(0.5).add(0.5).clamp(0, 1);
            }
            return scope.keep(Tensor.cat(0, pictures));
        }
    }

    private static List<Image> images(Tensor pictures) {
        try (var scope = new Scope()) {
            List<Image> images = new ArrayList<>();
            for (int i = 0; i < pictures.size(0); i++) {
                images.add(Image.fromChw(pictures.select(0, i).contiguous().toFloats(), (int) pictures.size(3), (int) pictures.size(2)));
            }
            return images;
        }
    }

    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }
}
