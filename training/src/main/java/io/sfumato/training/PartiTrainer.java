package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.parti.Parti;
import io.sfumato.nn.Past;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongConsumer;

/** Trains Parti's Transformer (Yu et al. 2022, 2.2 and 3) to write the next code: cross-entropy averaged over all codes, by Adafactor. */
final class PartiTrainer {
    private static final double BETA2 = 0.96;

    private final TokenRecipe recipe;
    private final Path run;
    private final Progress progress;

    PartiTrainer(TokenRecipe recipe, Path run, Progress progress) {
        this.recipe = recipe;
        this.run = run;
        this.progress = progress;
    }

    /**
     * Trains on texts (N, L) and their codes (N, grid^2); the averaged weights are in {@code file} at each checkpoint.
     */
    void train(Parti.Config config, Tensor texts, Tensor codes, Path file, LongConsumer onSave) {
        Recipe.Loop loop = recipe.transformer().loop();
        Checkpoint checkpoint = new Checkpoint(run.resolve("transformer.safetensors"));
        Path losses = run.resolve("transformer.csv");
        try (Rng init = new Rng(recipe.seed() + 1); Weights weights = Weights.init(init, Device.CPU);
                Curve curve = new Curve(losses, checkpoint.steps(), "step", "loss", "gradient", "rate")) {
            Parti parti = new Parti(weights, config);
            try (Adafactor optimizer = new Adafactor(weights.parameters(), BETA2, loop.decay(), loop.clip());
                    Ema ema = new Ema(weights.parameters(), loop.ema()); Shards shards = new Shards(loop.batch())) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>(optimizer.moments());
                state.put("weights", weights.parameters());
                state.put("ema", ema.average());
                for (long step = checkpoint.restore(state); step < loop.steps(); step++) {
                    try (Rng rng = new Rng(recipe.seed() + step); Scope scope = new Scope()) {
                        Tensor rows = rng.randint(0, texts.size(0), loop.batch());
                        Tensor kept = rng.rand(loop.batch(), 1).lt(recipe.transformer().textDropout()).eq(0).to(texts.dtype());
                        Tensor ids = texts.indexSelect(0, rows).mul(kept), written = codes.indexSelect(0, rows);
                        double loss = shards.backward(loop.batch(), (from, count) ->
                                loss(parti, ids.narrow(0, from, count), written.narrow(0, from, count)));
                        double gradient = optimizer.step(step + 1, loop.schedule().at(step));
                        ema.update(step);
                        curve.add(step, loss, gradient, loop.schedule().at(step));
                        progress.step("transformer", step + 1, loop.steps(), loss);
                    }
                    if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                        checkpoint.save(step + 1, state);
                        CurveChart.draw(losses, run.resolve("transformer.png"));
                        SafeTensors.write(file, ema.average(), Map.of("format", "pt"));
                        onSave.accept(step + 1);
                    }
                }
            }
        }
    }

    private static Tensor loss(Parti parti, Tensor ids, Tensor codes) {
        Tensor start = Tensor.full(parti.config().start(), codes.size(0), 1).to(codes);
        Tensor read = Tensor.cat(1, start, codes.narrow(1, 0, codes.size(1) - 1));
        return CodebookLoss.nextToken(parti.decode(read, 0, parti.memory(ids), i -> Past.NONE), codes);
    }
}
