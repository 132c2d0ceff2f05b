package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Trace;
import io.sfumato.diffusion.Clipping;
import io.sfumato.diffusion.ContinuousTime;
import io.sfumato.diffusion.Denoiser;
import io.sfumato.diffusion.Guidance;
import io.sfumato.diffusion.Network;
import io.sfumato.diffusion.Prediction;
import io.sfumato.diffusion.Step;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.ConfigJson;
import io.sfumato.models.imagen.ImagenNetwork;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;

/**
 * One stage of {@link Imagen}, from a folder with its weights and a {@code config.json}: the network's sizes, {@code size} (pixels of a
 * side), {@code noise_schedule} (cosine or linear), {@code prediction} (epsilon or v), {@code threshold} (dynamic or static),
 * {@code percentile}, and of a stage that enlarges {@code guidance}, its own.
 */
final class ImagenStage implements AutoCloseable {
    /** Nearer to the posterior's variance than to the forward process's. */
    private static final double GAMMA = 0.3;
    /** Imagen's thresholds have no upper bound. */
    private static final double UNBOUNDED = 1e6;

    /**
     * What is left of the picture (alpha) where drawing by predicted noise begins. A picture is found from noise by dividing by it: before,
     * the network's errors count more than seventeen times, and that of the mean colour, which stays, tinted whole pictures.
     */
    private static final double FIRST_ALPHA = 0.06;
    /** Of stages that enlarge, where their folder says nothing. */
    private static final double LATER_GUIDANCE = 4;

    private final int size;
    private final boolean enlarges;
    private final ContinuousTime time;
    private final Prediction prediction;
    private final double begin;
    private final Clipping clipping;
    private final double laterGuidance;
    private final LoadOptions load;
    private final Part<ImagenNetwork> network;

    ImagenStage(ModelFolder folder, String name, LoadOptions load, boolean stays) {
        this.load = load;
        ConfigJson json = folder.config(name);
        size = json.integer("size");
        enlarges = ImagenNetwork.enlarges(json);
        time = ContinuousTime.named(one(json, "noise_schedule", List.of("cosine", "linear")));
        prediction = one(json, "prediction", List.of("epsilon", "v")).equals("v") ? Prediction.V_PREDICTION : Prediction.EPSILON;
        begin = prediction == Prediction.EPSILON ? time.timeOf(FIRST_ALPHA) : 1;
        double percentile = json.number("percentile", 0.995);
        if (!(percentile > 0 && percentile <= 1)) {
            throw json.wrong("percentile", percentile, "a share above 0 and at most 1");
        }
        clipping = one(json, "threshold", List.of("dynamic", "static")).equals("static") ? Clipping.range(1)
                : Clipping.dynamic(percentile, UNBOUNDED);
        laterGuidance = json.number("guidance", LATER_GUIDANCE);
        network = new Part<>(recipe(folder, name, load), stays);
    }

    static Part.Recipe<ImagenNetwork> recipe(ModelFolder folder, String name, LoadOptions load) {
        ConfigJson json = folder.config(name);
        return new Part.Recipe<>(() -> folder.weights(name), w -> ImagenNetwork.of(w.forRunning(), json), extra -> false, load.dtype(), load.device());
    }

    private static String one(ConfigJson json, String key, List<String> known) {
        String value = json.text(key, known.get(0));
        if (!known.contains(value)) {
            throw json.wrong(key, value, String.join(" or ", known));
        }
        return value;
    }

    int size() {
        return size;
    }

    boolean enlarges() {
        return enlarges;
    }

    /**
     * Draws pictures (B, 3, S, S), about [-1, 1].
     *
     * @param low      the pictures to enlarge (B, 3, s, s); none for the first stage
     * @param states   of the text (B, L, E); when {@code guidance} is above 1 those of no text before them
     * @param guidance of the first stage; one that enlarges has its own where this is above 1
     * @param augLevel of the noise to put over the small pictures, 0 to 1
     */
    Tensor draw(List<Tensor> low, Tensor states, double guidance, double augLevel, int steps, Draws draws, Step.Listener onStep, Trace trace) {
        return network.use(net -> {
            try (var scope = new Scope()) {
                double own = enlarges && guidance > 1 ? laterGuidance : guidance;
                boolean guided = own > 1;
                Tensor texts = guided || guidance <= 1 ? states : states.chunk(2, 0)[1];            // (B or 2B, L, E)
                Tensor start = draws.noise().next(Tensor.zeros(texts.size(0) / (guided ? 2 : 1), 3, size, size));
                List<Tensor> seen = low.stream().map(small -> {
                    Tensor large = Functional.upsampleBilinear(small.clamp(-1, 1), size, size);
                    return ContinuousTime.COSINE.level(augLevel).addNoise(large, draws.noise().next(large));
                }).toList();
                trace.put("latents.0", start);
                Network guess = (x, t) -> {
                    Tensor in = seen.isEmpty() ? x : Tensor.cat(1, x, seen.get(0));                 // (B, 3 or 6, S, S)
                    in = (guided ? Tensor.cat(0, in, in) : in).to(load.dtype()).to(load.device());
                    Tensor times = Tensor.full(t, in.size(0)).to(load.device());
                    Tensor levels = Tensor.full(augLevel, in.size(0)).to(load.device());
                    Tensor out = net.forward(in, times, levels, texts).to(DType.F32).to(Device.CPU);
                    Tensor[] halves = out.chunk(guided ? 2 : 1, 0);
                    return guided ? Guidance.guide(halves[0], halves[1], own) : out;
                };
                Denoiser denoiser = new Denoiser(guess, prediction, clipping, 1);
                return scope.keep(time.sample(denoiser, start, begin, steps, GAMMA, draws.noise(), step -> {
                    trace.put("latents." + (step.index() + 1), step.x());
                    return onStep.onStep(step);
                }));
            }
        });
    }

    @Override
    public void close() {
        network.close();
    }
}
