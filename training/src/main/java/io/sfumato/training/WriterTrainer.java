package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongConsumer;

/** Trains a Transformer to write the codes of pictures after their texts. Goes on from the last checkpoint. */
final class WriterTrainer {
    /** Of texts (B, L), padded with 0, and codes (B, N): what gradients flow from. */
    @FunctionalInterface
    interface Loss {
        Tensor of(Tensor ids, Tensor codes);
    }

    private final long seed;
    private final Recipe.Loop loop;
    private final double textDropout;
    private final Path run;
    private final Progress progress;

    /** @param textDropout share of texts replaced by the empty one, for guidance */
    WriterTrainer(long seed, Recipe.Loop loop, double textDropout, Path run, Progress progress) {
        this.seed = seed;
        this.loop = loop;
        this.textDropout = textDropout;
        this.run = run;
        this.progress = progress;
    }

    /**
     * Trains on texts (N, L) and their codes (N, grid^2); the averaged weights are in {@code file} at each checkpoint.
     *
     * @param network   makes it of fresh weights, and tells its loss
     * @param optimizer of parameters by name
     */
    void train(Function<Weights, Loss> network, Function<Map<String, Tensor>, Optimizer> optimizer, Tensor texts, Tensor codes, Path file,
               LongConsumer onSave) {
        Checkpoint checkpoint = new Checkpoint(run.resolve("transformer.safetensors"));
        Path losses = run.resolve("transformer.csv");
        try (Rng init = new Rng(seed + 1); Weights weights = Weights.init(init, Device.CPU);
                Curve curve = new Curve(losses, checkpoint.steps(), "step", "loss", "gradient", "rate")) {
            Loss writer = network.apply(weights);
            try (Optimizer stepper = optimizer.apply(weights.parameters()); Ema ema = new Ema(weights.parameters(), loop.ema());
                    Shards shards = new Shards(loop.batch())) {
                Map<String, Map<String, Tensor>> state = new LinkedHashMap<>(stepper.moments());
                state.put("weights", weights.parameters());
                state.put("ema", ema.average());
                for (long step = checkpoint.restore(state); step < loop.steps(); step++) {
                    try (Rng rng = new Rng(seed + step); Scope scope = new Scope()) {
                        Tensor rows = rng.randint(0, texts.size(0), loop.batch());
                        Tensor kept = rng.rand(loop.batch(), 1).lt(textDropout).eq(0).to(texts.dtype());
                        Tensor ids = texts.indexSelect(0, rows).mul(kept), written = codes.indexSelect(0, rows);
                        double loss = shards.backward(loop.batch(), (from, count) ->
                                writer.of(ids.narrow(0, from, count), written.narrow(0, from, count)));
                        double gradient = stepper.step(step + 1, loop.schedule().at(step));
                        ema.update(step);
                        curve.add(step, loss, gradient, loop.schedule().at(step));
                        progress.step("transformer", step + 1, loop.steps(), loss);
                    }
                    if ((step + 1) % loop.saveEvery() == 0 || step + 1 == loop.steps()) {
                        SafeTensors.write(file, ema.average(), Map.of("format", "pt"));
                        checkpoint.save(step + 1, state);
                        CurveChart.draw(losses, run.resolve("transformer.png"));
                        onSave.accept(step + 1);
                    }
                }
            }
        }
    }
}
