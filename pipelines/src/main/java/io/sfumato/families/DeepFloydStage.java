package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Trace;
import io.sfumato.diffusion.Guidance;
import io.sfumato.diffusion.Network;
import io.sfumato.diffusion.NoiseLevel;
import io.sfumato.diffusion.Samplers;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.diffusion.Step;
import io.sfumato.diffusion.StepOptions;
import io.sfumato.diffusion.Steps;
import io.sfumato.diffusion.TimestepLists;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.models.unet.Conditioning;
import io.sfumato.models.unet.GlideUNet;
import io.sfumato.models.unet.GlideUNetConfig;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;

/**
 * One diffusion model of a cascade (Ho et al. 2021): draws a picture from noise, or enlarges one that it sees under noise
 * (noise-conditioning augmentation, Saharia et al. 2022, 2.5), which it is told the level of.
 */
final class DeepFloydStage implements AutoCloseable {
    private static final int RGB = 3;

    private final GlideUNetConfig config;
    private final SchedulerConfig scheduler;
    private final double[] lowAlphas;
    private final int size;
    private final LoadOptions load;
    private final Part<GlideUNet> unet;

    /**
     * What a stage is drawn on.
     *
     * @param low     the picture to enlarge (B, 3, h, w) in [-1, 1]; none for the first stage
     * @param picture the picture to draw over (B, 3, H, W), none for noise
     * @param mask    1 where it is drawn over, (B, 1, H, W); none for everywhere
     */
    record Canvas(List<Tensor> low, List<Tensor> picture, List<Tensor> mask) {
        static final Canvas BLANK = new Canvas(List.of(), List.of(), List.of());

        Canvas withLow(Tensor low) {
            return new Canvas(List.of(low), picture, mask);
        }
    }

    /** What all stages of a run share. */
    record Run(Tensor states, Draws draws, Step.Listener onStep) {
    }

    DeepFloydStage(ModelFolder folder, LoadOptions load, boolean stays) {
        this.load = load;
        ConfigJson json = folder.config("unet");
        config = config(folder);
        size = size(folder);
        scheduler = SchedulerConfig.of(folder.scheduler());
        lowAlphas = enlarges() ? SchedulerConfig.of(JsonFile.read(
                folder.folder("image_noising_scheduler").resolve("scheduler_config.json"))).alphasCumprod() : new double[0];
        if (scheduler.learnsVariance() != (config.outChannels() == 2 * RGB) && scheduler.learnsVariance()) {
            throw json.wrong("out_channels", config.outChannels(), "6, for the noise and the variance that the scheduler takes from it,");
        }
        unet = new Part<>(recipe(folder, load), stays);
    }

    static Part.Recipe<GlideUNet> recipe(ModelFolder folder, LoadOptions load) {
        GlideUNetConfig config = config(folder);
        return new Part.Recipe<>(() -> folder.weights("unet"), w -> new GlideUNet(w.forRunning(), config), name -> false, load.dtype(), load.device());
    }

    /** The U-Net's config, of a first stage or of one that enlarges. */
    static GlideUNetConfig config(ModelFolder folder) {
        ConfigJson json = folder.config("unet");
        GlideUNetConfig config = GlideUNetConfig.of(json);
        boolean labelled = config.label() == GlideUNetConfig.Label.TIMESTEP;
        if (config.inChannels() != (labelled ? 2 * RGB : RGB) || !labelled && config.label() != GlideUNetConfig.Label.NONE) {
            throw json.wrong("in_channels", config.inChannels() + " with class_embed_type " + json.text("class_embed_type", "null"),
                    "3 with null, of a first stage, or 6 with timestep, of a stage that enlarges,");
        }
        if (config.outChannels() != RGB && config.outChannels() != 2 * RGB) {
            throw json.wrong("out_channels", config.outChannels(), "3, or 6 with a learned variance,");
        }
        return config;
    }

    /** Pixels of a side of the pictures that it was trained on. */
    static int size(ModelFolder folder) {
        int size = folder.config("unet").integer("sample_size", 0);
        if (size < 1) {
            throw new CheckpointException(folder.path() + ": unet/config.json has no sample_size, the side of the pictures of this stage");
        }
        return size;
    }

    GlideUNetConfig config() {
        return config;
    }

    SchedulerConfig scheduler() {
        return scheduler;
    }

    int size() {
        return size;
    }

    boolean enlarges() {
        return config.inChannels() == 2 * RGB;
    }

    /** @throws IllegalArgumentException for options that this stage cannot follow */
    Sampling sampling(Options o) {
        SchedulerConfig chosen = chosen(o);
        boolean listed = TimestepLists.has(o.schedule());
        Steps steps = listed ? TimestepLists.of(o.schedule()) : Steps.of(o.steps());
        if (enlarges() && o.noiseLevel() >= lowAlphas.length) {
            throw new IllegalArgumentException("noise level must be 0 to " + (lowAlphas.length - 1) + ", not " + o.noiseLevel());
        }
        return Sampling.of(listed || o.schedule().equals(Options.MODELS_OWN) ? chosen : Samplers.schedule(chosen, o.schedule()), steps,
                StepOptions.defaults().withEta(o.eta()));
    }

    private SchedulerConfig chosen(Options o) {
        return o.sampler().equals(Options.MODELS_OWN) || o.sampler().equals(scheduler.className()) ? scheduler
                : Samplers.choose(scheduler, o.sampler());
    }

    /** Where a run over a picture begins. */
    static Sampling from(Sampling whole, double strength) {
        int steps = whole.grid().calls();
        int skipped = Sampling.skipped(steps, strength);
        if (skipped >= steps) {
            throw new IllegalArgumentException("strength " + strength + " of " + steps + " steps leaves none: at least "
                    + Math.ceil(1000.0 / steps) / 1000 + " is wanted");
        }
        return whole.from(skipped);
    }

    /**
     * Draws pictures (B, 3, H, W), about [-1, 1].
     *
     * @param strength of drawing over a picture
     */
    Tensor draw(Canvas canvas, Options o, double strength, Run run, Trace trace) {
        return unet.use(network -> {
            try (var scope = new Scope()) {
                Tensor like = Tensor.zeros(run.states.size(0) / (o.guidance() > 1 ? 2 : 1), RGB, o.height(), o.width());
                Sampling sampling = canvas.picture.isEmpty() ? sampling(o) : from(sampling(o), strength);
                Tensor start = start(canvas, sampling, run.draws.noise().next(like));
                List<Tensor> low = canvas.low.stream().map(picture -> underNoise(picture, o, run.draws)).toList();
                trace.put("latents.0", start);
                Scheduling.record(sampling.grid(), trace);
                Tensor[] before = {start};
                return scope.keep(sampling.sample(denoiser(network, low, o, run.states), start, run.draws.noise(), step -> {
                    trace.put("latents." + (step.index() + 1), step.x());
                    run.onStep.onStep(step);
                    Tensor x = canvas.mask.isEmpty() ? step.x() : blend(before[0], step.x(), canvas.mask.get(0));
                    before[0] = x;
                    return x;
                }));
            }
        });
    }

    private static Tensor start(Canvas canvas, Sampling sampling, Tensor noise) {
        if (canvas.picture.isEmpty()) {
            return noise.mul(sampling.initNoiseSigma());
        }
        Tensor picture = canvas.picture.get(0), noisy = sampling.addNoise(picture, noise);
        return canvas.mask.isEmpty() ? noisy : blend(picture, noisy, canvas.mask.get(0));
    }

    /** {@code inside} where the mask is 1. */
    private static Tensor blend(Tensor outside, Tensor inside, Tensor mask) {
        return outside.mul(mask.neg().add(1)).add(inside.mul(mask));
    }

    private Tensor underNoise(Tensor small, Options o, Draws draws) {
        Tensor large = Functional.upsampleBilinearOfPoints(small, o.height(), o.width());
        return NoiseLevel.ofAlphaCumprod(lowAlphas[o.noiseLevel()]).addNoise(large, draws.noise().next(large));
    }

    private Network denoiser(GlideUNet network, List<Tensor> low, Options o, Tensor states) {
        boolean guided = o.guidance() > 1, learned = chosen(o).learnsVariance();
        Conditioning text = Conditioning.text(states);
        Conditioning given = !enlarges() ? text
                : text.with(Conditioning.Input.LABEL, Tensor.full(o.noiseLevel(), states.size(0)).to(load.device()));
        return (x, t) -> {
            Tensor seen = low.isEmpty() ? x : Tensor.cat(1, x, low.get(0));                     // (B, 3 or 6, H, W)
            seen = (guided ? Tensor.cat(0, seen, seen) : seen).to(load.dtype()).to(load.device());
            Tensor time = Tensor.full(t, seen.size(0)).to(load.device());
            Tensor out = network.forward(seen, time, given).to(DType.F32).to(Device.CPU);       // (B or 2B, 3 or 6, H, W)
            Tensor answer = Guidance.guide(out, x, o.guidance(), o.guidanceRescale());
            return learned ? answer : answer.narrow(1, 0, RGB);
        };
    }

    @Override
    public void close() {
        unet.close();
    }
}
