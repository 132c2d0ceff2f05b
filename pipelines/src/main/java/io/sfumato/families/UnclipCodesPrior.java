package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Trace;
import io.sfumato.Unclip;
import io.sfumato.diffusion.Guidance;
import io.sfumato.diffusion.Step;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.unclip.AutoregressivePrior;
import io.sfumato.nn.KvCache;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/** The prior that writes the embedding's principal components as codes, asked for a picture that agrees with the text. */
final class UnclipCodesPrior implements UnclipPrior {
    static final String CLASS = "AutoregressivePrior";

    private final LoadOptions load;
    private final AutoregressivePrior.Config config;
    private final Part<AutoregressivePrior> prior;

    UnclipCodesPrior(ModelFolder folder, UnclipTexts texts, LoadOptions load, boolean stays) {
        this.load = load;
        config = AutoregressivePrior.Config.of(folder.config("prior"));
        ClipText.Config clip = texts.config();
        if (clip.projection() != config.embed() || clip.width() != config.embed() || texts.length() != config.tokens()) {
            throw new CheckpointException(folder.path() + ": the prior takes " + config.tokens() + " text states and an embedding of "
                    + config.embed() + " numbers, and the text encoder gives " + texts.length() + " of " + clip.width() + " and one of "
                    + clip.projection());
        }
        prior = new Part<>(recipe(folder, load), stays);
    }

    static Part.Recipe<AutoregressivePrior> recipe(ModelFolder folder, LoadOptions load) {
        AutoregressivePrior.Config config = AutoregressivePrior.Config.of(folder.config("prior"));
        return new Part.Recipe<>(() -> folder.weights("prior"), w -> new AutoregressivePrior(w, config), name -> false, load.dtype(),
                load.device());
    }

    @Override
    public int width() {
        return config.embed();
    }

    @Override
    public int calls(Unclip o) {
        return config.components();
    }

    @Override
    public Tensor sample(UnclipTexts.Read texts, Unclip o, Run run, Trace trace) {
        return prior.use(network -> {
            try (var scope = new Scope(); KvCache cache = network.cache(texts.embeddings().size(0), texts.embeddings())) {
                int n = run.rows();
                // Ramesh et al. draw from the upper half, for pictures that fit.
                Tensor upper = Tensor.arange(config.agreements()).lt(config.agreements() / 2).to(DType.F32).neg().add(1);
                Tensor agree = run.draws().multinomial(upper.unsqueeze(0).expand(n, config.agreements()));          // (n)
                trace.put("prior.agreement", agree);
                Tensor codes = agree.unsqueeze(1).narrow(1, 0, 0);                                                  // (n, 0)
                for (int i = 0; i < config.components(); i++) {
                    Tensor logits = i > 0 ? network.next(read(codes.select(1, i - 1), texts, run), texts.mask(), cache::layer)
                            : network.first(texts.embeddings(), texts.states(), texts.mask(), read(agree, texts, run), cache::layer);
                    codes = Tensor.cat(1, codes, drawn(logits, Math.max(1, o.priorGuidance()), run).unsqueeze(1));
                    run.progress().onStep(new Step(i, config.components(), 0, codes, codes), x0 -> run.preview());
                }
                trace.put("prior.codes", codes);
                return scope.keep(network.embeddings(codes.to(load.device())));                                     // (n, E)
            }
        });
    }

    /** A number of each picture (n) as the network reads it: with guidance, without a text too. */
    private Tensor read(Tensor x, UnclipTexts.Read texts, Run run) {
        return (guided(texts.embeddings(), run) ? Tensor.cat(0, x, x) : x).to(load.device());
    }

    private static boolean guided(Tensor rows, Run run) {
        return rows.size(0) > run.rows();
    }

    /** One of each row of logits (n, buckets), or (2n, buckets) where these are guided: (n). */
    private static Tensor drawn(Tensor logits, double guidance, Run run) {
        try (var scope = new Scope()) {
            Tensor own = logits.to(DType.F32).to(Device.CPU);
            if (guided(own, run)) {
                Tensor[] halves = own.chunk(2, 0);
                own = Guidance.guide(halves[0], halves[1], guidance);
            }
            return scope.keep(run.draws().multinomial(own.softmax(-1)));
        }
    }

    @Override
    public void close() {
        prior.close();
    }
}
