package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.parti.Parti;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trains the encoder of a Parti on captions alone, before it sees a picture: it tells the pieces that are hidden in them, of which most are
 * read as a mask, the vocabulary's last entry, some as another piece and some as they are (Devlin et al. 2019, 3.1).
 */
final class CaptionTrainer {
    private static final String ENCODER = "encoder.";
    private static final double MASKED = 0.8, ANOTHER = 0.1;

    private final TokenRecipe recipe;
    private final TokenRecipe.CaptionsAlone stage;
    private final Run run;

    CaptionTrainer(TokenRecipe recipe, TokenRecipe.CaptionsAlone stage, Run run) {
        this.recipe = recipe;
        this.stage = stage;
        this.run = run;
    }

    /** Trains on texts (N, L) to the end, or goes on from the last checkpoint; the encoder's averaged weights are then in {@code file}. */
    void train(Parti.Config config, Tensor texts, Path file) {
        int b = stage.loop().batch();
        try (Rng init = new Rng(recipe.seed() + 1); Weights weights = Weights.init(init, Device.CPU)) {
            Parti parti = new Parti(weights, config);
            Linear pieces = new Linear(weights.sub("pieces"), config.width(), config.vocabulary());
            Map<String, Tensor> trained = new LinkedHashMap<>(weights.parameters());
            trained.keySet().removeIf(name -> name.startsWith("decoder."));
            try (Loop loop = new Loop(run, "captions", stage.loop(), recipe.seed(), trained, stage.loop().optimizer(trained, "adafactor"));
                    Shards shards = new Shards(run, stage.loop())) {
                loop.run((step, rng) -> {
                    Tensor whole = texts.indexSelect(0, rng.randint(0, texts.size(0), b));               // (B, L)
                    Tensor hidden = rng.rand(whole.shape()).lt(stage.hidden()).to(DType.F32).mul(whole.eq(0).eq(0).to(DType.F32));
                    Tensor read = hidden.eq(1).where(disguised(whole, config.vocabulary() - 1, rng), whole);
                    return Loop.Taken.of(shards.backward(b, (from, count) -> loss(pieces.forward(parti.encode(read.narrow(0, from, count))),
                            whole.narrow(0, from, count), hidden.narrow(0, from, count))));
                });
                Map<String, Tensor> encoder = new LinkedHashMap<>(loop.average());
                encoder.keySet().removeIf(name -> !name.startsWith(ENCODER));
                SafeTensors.write(file, encoder, Map.of("format", "pt"));
            }
        }
    }

    /** What is read in place of each piece, were it hidden. */
    private static Tensor disguised(Tensor texts, int mask, Rng rng) {
        Tensor draw = rng.rand(texts.shape()), another = rng.randint(1, mask, texts.shape());
        Tensor masked = Tensor.full(mask, 1).to(texts);
        return draw.lt(MASKED).where(masked, draw.lt(MASKED + ANOTHER).where(another, texts));
    }

    /** Cross-entropy of the hidden pieces, averaged over them. */
    private static Tensor loss(Tensor logits, Tensor texts, Tensor hidden) {
        Tensor right = logits.logSoftmax(-1).gather(-1, texts.unsqueeze(-1)).squeeze(-1);                 // (B, L)
        return right.mul(hidden).sum().neg().div(hidden.sum().clamp(1, Double.POSITIVE_INFINITY));
    }
}
