package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Trace;
import io.sfumato.Unclip;
import io.sfumato.diffusion.Guidance;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.JsonFile;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unclip.PriorTransformer;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** The prior that takes the noise off an image embedding. */
final class UnclipDiffusionPrior implements UnclipPrior {
    private final LoadOptions load;
    private final PriorTransformer.Config config;
    private final SchedulerConfig scheduler;
    private final Part<PriorTransformer> prior;

    /**
     * @param scheduling the component with the prior's scheduler
     * @param texts      what the prior is to be shown
     */
    UnclipDiffusionPrior(ModelFolder folder, String scheduling, UnclipTexts texts, LoadOptions load, boolean stays) {
        this.load = load;
        config = PriorTransformer.Config.of(folder.config("prior"));
        scheduler = SchedulerConfig.of(JsonFile.read(folder.folder(scheduling).resolve("scheduler_config.json")));
        ClipText.Config clip = texts.config();
        if (clip.projection() != config.textEmbed() || clip.width() != config.embed() || texts.length() != config.tokens()) {
            throw new CheckpointException(folder.path() + ": the prior takes " + config.tokens() + " text states of " + config.embed()
                    + " numbers and an embedding of " + config.textEmbed() + ", and the text encoder gives " + texts.length()
                    + " of " + clip.width() + " and one of " + clip.projection());
        }
        prior = new Part<>(recipe(folder, load), stays);
    }

    static Part.Recipe<PriorTransformer> recipe(ModelFolder folder, LoadOptions load) {
        PriorTransformer.Config config = PriorTransformer.Config.of(folder.config("prior"));
        return new Part.Recipe<>(() -> folder.weights("prior"), w -> new PriorTransformer(w, config), name -> false, load.dtype(),
                load.device());
    }

    @Override
    public int width() {
        return config.answer();
    }

    @Override
    public int calls(Unclip o) {
        return sampling(o).grid().calls();
    }

    private Sampling sampling(Unclip o) {
        return Sampling.of(scheduler, o.priorSteps(), 0);
    }

    @Override
    public Tensor sample(UnclipTexts.Read texts, Unclip o, Run run, Trace trace) {
        return prior.use(network -> {
            try (var scope = new Scope()) {
                Sampling sampling = sampling(o);
                Tensor start = run.noise().next(Tensor.zeros(run.rows(), config.embed())).mul(sampling.initNoiseSigma());
                trace.put("prior.0", start);
                Tensor x = sampling.sample((noisy, t) -> {
                    boolean guided = texts.embeddings().size(0) > noisy.size(0);
                    Tensor seen = (guided ? Tensor.cat(0, noisy, noisy) : noisy).to(load.dtype()).to(load.device());
                    Tensor time = Tensor.full(t, seen.size(0)).to(load.device());
                    Tensor out = network.forward(seen, time, texts.embeddings(), texts.states(), texts.mask());
                    return Guidance.guide(out.to(DType.F32).to(Device.CPU), noisy, o.priorGuidance(), 0);
                }, start, run.noise(), step -> {
                    trace.put("prior." + (step.index() + 1), step.x());
                    return run.progress().onStep(step, x0 -> run.preview());
                });
                Scheduling.record(sampling.grid(), trace.under("prior."));
                return scope.keep(network.restore(x.to(load.dtype()).to(load.device())));                       // (rows, E)
            }
        });
    }

    @Override
    public void close() {
        prior.close();
    }
}
