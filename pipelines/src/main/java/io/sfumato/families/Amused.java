package io.sfumato.families;

import com.fasterxml.jackson.databind.JsonNode;
import static io.sfumato.Prompt.Role.INIT;
import static io.sfumato.Prompt.Role.MASK;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.Trace;
import io.sfumato.autoregressive.Decoding;
import io.sfumato.autoregressive.MaskedDecoding;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.models.amused.UVit2D;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.tokenizer.VqGan;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * aMUSEd (Patil et al. 2024), an open MUSE (Chang et al. 2023): codes of a picture are drawn at once, the doubtful ones again, round by
 * round. A given picture begins with some of its codes masked, or those where its mask is white (3.5). Reads a diffusers
 * {@code AmusedPipeline} folder; draws as that, {@code AmusedImg2ImgPipeline} and {@code AmusedInpaintPipeline} do. The temperature of
 * {@link io.sfumato.Picking} scales the noise on confidence, which falls from 2 to 0. Trace: {@code latents.k} are codes.
 */
final class Amused implements TextToImage {
    /** What the model is told of the picture, besides its size. */
    record MicroConditions(int cropX, int cropY, int aesthetic) {
        static final MicroConditions DEFAULT = new MicroConditions(0, 0, 6);
    }

    /** How confidence is blurred from the first round to the last. */
    record Temperatures(double hottest, double coldest) {
    }

    private final OpenFiles files;
    private final LoadOptions load;
    private final ClipTokenizer tokenizer;
    private final ClipText text;
    private final UVit2D network;
    private final UnitRange pictures;
    private final int mask;
    private final MaskedDecoding.Schedule schedule;
    private final Options defaults;

    Amused(ModelFolder folder, LoadOptions load) {
        this.load = load;
        files = new OpenFiles(load);
        try {
            tokenizer = folder.tokenizer();
            VqGan.Config vqConfig = VqGan.Config.diffusers(folder.config("vqvae"));
            UVit2D.Config config = UVit2D.Config.of(folder.config("transformer"));
            ClipText.Config textConfig = ClipText.Config.of(folder.config("text_encoder"));
            JsonNode scheduler = folder.scheduler();
            mask = new ConfigJson(folder.path() + ": scheduler", scheduler).integer("mask_token_id");
            schedule = schedule(new ConfigJson(folder.path() + ": scheduler", scheduler));
            if (vqConfig.codes() != config.codes() || mask < config.codes() || mask >= config.vocabulary()) {
                throw new CheckpointException(folder.path() + ": the vqvae has " + vqConfig.codes() + " codes and the transformer draws "
                        + config.codes() + " of " + config.vocabulary() + " (codebook_size, vocab_size); the same number is wanted, and"
                        + " mask_token_id " + mask + " between them");
            }
            text = build(folder, "text_encoder", w -> new ClipText(w, textConfig));
            network = build(folder, "transformer", w -> new UVit2D(w, config));
            pictures = new UnitRange(build(folder, "vqvae", w -> new VqGan(w, vqConfig)));
            int side = config.side() * pictures.factor();
            defaults = FolderDefaults.of(folder, Options.defaults().withSteps(12).withGuidance(10).withSize(side, side));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <M> M build(ModelFolder folder, String component, Function<Weights, M> network) {
        return files.build(files.hold(folder.weights(component)), network, name -> name.endsWith(ClipText.POSITION_IDS));
    }

    private static MaskedDecoding.Schedule schedule(ConfigJson json) {
        return switch (json.text("masking_schedule", "cosine")) {
            case "cosine" -> MaskedDecoding.Schedule.COSINE;
            case "linear" -> MaskedDecoding.Schedule.LINEAR;
            default -> throw json.wrong("masking_schedule", json.text("masking_schedule", ""), "cosine or linear");
        };
    }

    static MemoryEstimate memory(ModelFolder folder, LoadOptions load, Prompt prompt, Options options) {
        long numbers = 0;
        for (String component : List.of("text_encoder", "transformer", "vqvae")) {
            try (var source = folder.weights(component)) {
                numbers += TokenMemory.numbers(source);
            }
        }
        UVit2D.Config c = UVit2D.Config.of(folder.config("transformer"));
        long tokens = 2L * options.count() * c.side() * c.side();
        return TokenMemory.of(options.count(), load, numbers, tokens * (c.codes() + 8L * c.hidden()));
    }

    @Override
    public Options defaults() {
        return defaults;
    }

    @Override
    public Options complete(Prompt prompt, Options wanted) {
        prompt.require(Set.of(INIT, MASK), Set.of());
        TokenDrawer.requireNoSampler(wanted);
        Options o = wanted.sizedFor(prompt).withOpenSides(defaults.width(), defaults.height());
        int multiple = pictures.factor() * (network.config().resizes() ? 2 : 1);
        if (o.width() % multiple != 0 || o.height() % multiple != 0) {
            throw new IllegalArgumentException("this model draws multiples of " + multiple + " pixels, not " + o.width() + "x"
                    + o.height());
        }
        if (prompt.has(INIT)) {
            StableDiffusionCanvas.begin(o, prompt);
        }
        if (o.maskFill() != Options.MaskFill.ORIGINAL) {
            throw new IllegalArgumentException("mask fill must be original: this model sees nothing of what lies under a mask");
        }
        return o;
    }

    @Override
    public List<Image> generate(List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        double t = wanted.picking().temperature();
        Options o = complete(prompts.get(0), wanted);
        Prompt.requireAlike(prompts);
        return MaskedArea.drawn(prompts, o, parts ->
                generate(parts, o, new Temperatures(2 * t, 0), MicroConditions.DEFAULT, listener, trace));
    }

    /** As diffusers' pipeline, with all that it takes. */
    synchronized List<Image> generate(List<Prompt> prompts, Options wanted, Temperatures temperatures, MicroConditions told,
            Listener listener, Trace trace) {
        Options o = complete(prompts.get(0), wanted);
        int n = prompts.size() * o.count(), h = o.height() / pictures.factor(), w = o.width() / pictures.factor();
        MaskedDecoding.Plan plan = plan(prompts.get(0), o, temperatures);
        try (Draws draws = new Draws(o, n); var noGrad = new NoGrad(); var scope = new Scope()) {
            boolean guided = o.guidance() > 1;
            Tensor[] context = encode(prompts, o, guided, listener);
            trace.put("text_embeddings", context[0]);
            Tensor numbers = Tensor.of(new float[] {o.width(), o.height(), told.cropX, told.cropY, told.aesthetic}, 1, 5)
                    .expand(context[0].size(0), 5).to(context[0]);
            Tensor start = start(prompts, o, plan, draws);
            trace.put("latents.0", start.view(n, h, w));
            trace.put("timesteps", Tensor.arange(o.steps() - plan.first()).flip(0));
            double scale = o.guidance();
            Tensor tokens = MaskedDecoding.decode((codes, round) -> {
                Tensor input = (guided ? codes.repeat(2, 1) : codes).view(-1, h, w).to(load.device());
                Tensor logits = network.forward(input, context[0], context[1], numbers).flatten(1, 2);      // (n or 2n, hw, V)
                Tensor[] halves = guided ? logits.chunk(2, 0) : new Tensor[] {logits, logits};
                Tensor answer = guided ? Decoding.guide(halves[0], halves[1], scale) : logits;
                trace.put("logits." + (round + 1 - plan.first()), answer);
                return answer;
            }, start, plan, draws.masked(), round -> {
                int step = round.round() + 1 - plan.first();
                trace.put("latents." + step, round.tokens().view(n, h, w));
                listener.onStep(new Listener.Step(step, plan.rounds() - plan.first(), plan.rounds() - 1 - round.round(),
                        () -> StableDiffusionPixels.images(decode(round.whole().view(n, h, w)))));
            });
            trace.put("tokens", tokens);
            Tensor picture = decode(tokens.view(n, h, w));
            trace.put("image", picture);
            return StableDiffusionPixels.images(picture);
        }
    }

    /** Under a mask, shares fall evenly and are those of what it leaves open, whatever the folder says: so does diffusers. */
    private MaskedDecoding.Plan plan(Prompt prompt, Options o, Temperatures temperatures) {
        return new MaskedDecoding.Plan(mask, o.steps(), prompt.has(INIT) ? StableDiffusionCanvas.begin(o, prompt) : 0, prompt.has(MASK),
                prompt.has(MASK) ? MaskedDecoding.Schedule.LINEAR : schedule, temperatures.hottest(), temperatures.coldest());
    }

    /** Codes to begin with, (N, hw). */
    private Tensor start(List<Prompt> prompts, Options o, MaskedDecoding.Plan plan, Draws draws) {
        int h = o.height() / pictures.factor(), w = o.width() / pictures.factor();
        Tensor masked = Tensor.full(mask, 1, 1).to(DType.I64);
        if (!prompts.get(0).has(INIT)) {
            return masked.repeat((long) prompts.size() * o.count(), (long) h * w);
        }
        Tensor given = Tensor.cat(0, prompts.stream().map(p -> pictures.encode(StableDiffusionPixels.of(p.picture(INIT), o.width(),
                o.height()).add(1).mul(0.5).to(load.dtype()).to(load.device())).to(Device.CPU).flatten(1, 2)).toArray(Tensor[]::new));
        if (prompts.get(0).has(MASK)) {
            Tensor open = Tensor.cat(0, prompts.stream().map(p -> StableDiffusionPixels.mask(p.picture(MASK), w, h).flatten(2, 3)
                    .squeeze(1)).toArray(Tensor[]::new));
            return open.lt(0.5).where(given, masked).repeatInterleave(o.count(), 0);
        }
        // A shared generator draws for the prompts, generators of their own for each picture.
        return draws.shared() ? MaskedDecoding.noised(given, plan, draws.masked()).repeatInterleave(o.count(), 0)
                : MaskedDecoding.noised(given.repeatInterleave(o.count(), 0), plan, draws.masked());
    }

    /** States before the last layer, and the pooled text in the joint space; the negative ones first when guided. */
    private Tensor[] encode(List<Prompt> prompts, Options o, boolean guided, Listener listener) {
        List<String> all = new ArrayList<>();
        if (guided) {
            prompts.forEach(p -> all.add(p.negative()));
        }
        prompts.forEach(p -> all.add(p.text()));
        Tensor[] states = new Tensor[all.size()], pooled = new Tensor[all.size()];
        for (int i = 0; i < states.length; i++) {
            ClipTokenizer.Encoded encoded = tokenizer.encode(all.get(i));
            if (!encoded.cutOff().isEmpty()) {
                listener.onWarning("the prompt has more than " + tokenizer.maxLength() + " tokens; cut off: " + encoded.cutOff());
            }
            Tensor ids = Tensor.of(encoded.ids()).unsqueeze(0).to(load.device());
            Tensor[] hidden = text.hiddenStates(ids);
            states[i] = hidden[hidden.length - 2];
            pooled[i] = text.project(text.pool(text.forward(ids, 0), ids));
        }
        return new Tensor[] {Tensor.cat(0, states).repeatInterleave(o.count(), 0), Tensor.cat(0, pooled).repeatInterleave(o.count(), 0)};
    }

    /** Codes (N, h, w) to pictures, one at a time. */
    private Tensor decode(Tensor codes) {
        try (var scope = new Scope()) {
            return scope.keep(Tensor.cat(0, IntStream.range(0, (int) codes.size(0)).mapToObj(i ->
                    pictures.decode(codes.narrow(0, i, 1).to(load.device())).to(DType.F32))
                    .toArray(Tensor[]::new)));
        }
    }

    @Override
    public void close() {
        files.close();
    }
}
