package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Trace;
import io.sfumato.Unclip;
import io.sfumato.diffusion.Guidance;
import io.sfumato.diffusion.Noise;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unclip.PriorTransformer;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.util.List;
import java.util.function.Function;

/** What unCLIP does before it draws (Ramesh et al. 2022, 2.2): CLIP reads the texts, the prior makes image embeddings of them. */
final class UnclipPrior implements AutoCloseable {
    /** Text embeddings (B, E), states (B, L, D), and 1 where these are text, 0 where padding (B, L). */
    record Texts(Tensor embeddings, Tensor states, Tensor mask) {
        private Texts map(Function<Tensor, Tensor> f) {
            return new Texts(f.apply(embeddings), f.apply(states), f.apply(mask));
        }

        /** Each row {@code count} times. */
        Texts each(int count) {
            return map(x -> x.repeatInterleave(count, 0));
        }
    }

    /** Embeddings to sample, and what is shown of them while none can be seen. */
    record Run(int rows, Noise noise, CascadeProgress progress, List<Image> preview) {
    }

    private final LoadOptions load;
    private final ClipTokenizer tokenizer;
    private final PriorTransformer.Config config;
    private final SchedulerConfig scheduler;
    private final Part<ClipText> text;
    private final Part<PriorTransformer> prior;

    /** @param scheduling the component with the prior's scheduler */
    UnclipPrior(ModelFolder folder, String scheduling, LoadOptions load, boolean stays) {
        this.load = load;
        tokenizer = folder.tokenizer();
        config = PriorTransformer.Config.of(folder.config("prior"));
        scheduler = SchedulerConfig.of(JsonFile.read(folder.folder(scheduling).resolve("scheduler_config.json")));
        ClipText.Config clip = ClipText.Config.of(folder.config("text_encoder"));
        if (clip.projection() != config.textEmbed() || clip.width() != config.embed() || tokenizer.maxLength() != config.tokens()) {
            throw new CheckpointException(folder.path() + ": the prior takes " + config.tokens() + " text states of " + config.embed()
                    + " numbers and an embedding of " + config.textEmbed() + ", and the text encoder gives " + tokenizer.maxLength()
                    + " of " + clip.width() + " and one of " + clip.projection());
        }
        text = new Part<>(text(folder, load), stays);
        try {
            prior = new Part<>(prior(folder, load), stays);
        } catch (RuntimeException e) {
            text.close();
            throw e;
        }
    }

    static Part.Recipe<ClipText> text(ModelFolder folder, LoadOptions load) {
        ConfigJson json = folder.config("text_encoder");
        ClipText.Config config = ClipText.Config.of(json);
        return new Part.Recipe<>(() -> folder.weights("text_encoder"), w -> new ClipText(w, config),
                name -> name.endsWith(ClipText.POSITION_IDS), load.dtype(), load.device());
    }

    static Part.Recipe<PriorTransformer> prior(ModelFolder folder, LoadOptions load) {
        PriorTransformer.Config config = PriorTransformer.Config.of(folder.config("prior"));
        return new Part.Recipe<>(() -> folder.weights("prior"), w -> new PriorTransformer(w, config), name -> false, load.dtype(),
                load.device());
    }

    /** Width of the image embeddings. */
    int width() {
        return config.answer();
    }

    /** @throws IllegalArgumentException for steps that the prior cannot take */
    Sampling sampling(Unclip o) {
        return Sampling.of(scheduler, o.priorSteps(), 0);
    }

    Texts read(List<String> texts, Listener listener) {
        List<ClipTokenizer.Encoded> encoded = texts.stream().map(tokenizer::encode).toList();
        encoded.stream().filter(e -> !e.cutOff().isEmpty()).forEach(e -> listener.onWarning("the prompt has more than "
                + tokenizer.maxLength() + " tokens; cut off: " + e.cutOff()));
        return text.use(clip -> {
            try (var scope = new Scope()) {
                Tensor ids = stack(encoded, e -> Tensor.of(e.ids())).to(load.device());                         // (B, L)
                Tensor mask = stack(encoded, e -> Tensor.arange(tokenizer.maxLength()).lt(e.count()).to(DType.F32)).to(load.device());
                Tensor states = clip.forward(ids, 0);                                                           // (B, L, D)
                Tensor embeddings = clip.project(clip.pool(states, ids));                                       // (B, E)
                return new Texts(scope.keep(embeddings), scope.keep(states), scope.keep(mask));
            }
        });
    }

    private static Tensor stack(List<ClipTokenizer.Encoded> encoded, Function<ClipTokenizer.Encoded, Tensor> of) {
        return Tensor.stack(0, encoded.stream().map(of).toArray(Tensor[]::new));
    }

    /**
     * Image embeddings (rows, E), as CLIP has them.
     *
     * @param texts of as many rows, or of twice as many where they are guided, the unwanted ones first
     */
    Tensor sample(Texts texts, Unclip o, Run run, Trace trace) {
        return prior.use(network -> {
            try (var scope = new Scope()) {
                Sampling sampling = sampling(o);
                Tensor start = run.noise.next(Tensor.zeros(run.rows, config.embed())).mul(sampling.initNoiseSigma());
                trace.put("prior.0", start);
                Tensor x = sampling.sample((noisy, t) -> {
                    boolean guided = texts.embeddings.size(0) > noisy.size(0);
                    Tensor seen = (guided ? Tensor.cat(0, noisy, noisy) : noisy).to(load.dtype()).to(load.device());
                    Tensor time = Tensor.full(t, seen.size(0)).to(load.device());
                    Tensor out = network.forward(seen, time, texts.embeddings, texts.states, texts.mask);
                    return Guidance.guide(out.to(DType.F32).to(Device.CPU), noisy, o.priorGuidance(), 0);
                }, start, run.noise, step -> {
                    trace.put("prior." + (step.index() + 1), step.x());
                    return run.progress.onStep(step, x0 -> run.preview);
                });
                Scheduling.record(sampling.grid(), trace.under("prior."));
                return scope.keep(network.restore(x.to(load.dtype()).to(load.device())));                       // (rows, E)
            }
        });
    }

    @Override
    public void close() {
        text.close();
        prior.close();
    }
}
