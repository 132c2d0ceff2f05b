package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
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
    private final Recipe.Loop settings;
    private final double textDropout;
    private final Run run;

    /** @param textDropout share of texts replaced by the empty one, for guidance */
    WriterTrainer(long seed, Recipe.Loop settings, double textDropout, Run run) {
        this.seed = seed;
        this.settings = settings;
        this.textDropout = textDropout;
        this.run = run;
    }

    /**
     * Trains on texts (N, L) and their codes (N, grid^2); the averaged weights are in {@code file} at each checkpoint.
     *
     * @param network   makes it of fresh weights, and tells its loss
     * @param optimizer what the recipe's is by default
     */
    void train(Function<Weights, Loss> network, String optimizer, Tensor texts, Tensor codes, Path file,
               LongConsumer onSave) {
        int b = settings.batch();
        try (Rng init = new Rng(seed + 1); Weights weights = Weights.init(init, Device.CPU)) {
            Loss writer = network.apply(weights);
            try (Loop loop = new Loop(run, "transformer", settings, seed, weights.parameters(), settings.optimizer(weights.parameters(), optimizer));
                    Shards shards = new Shards(run, settings)) {
                loop.run((step, rng) -> {
                    Tensor rows = rng.randint(0, texts.size(0), b);
                    Tensor kept = rng.rand(b, 1).lt(textDropout).eq(0).to(texts.dtype());
                    Tensor ids = texts.indexSelect(0, rows).mul(kept), written = codes.indexSelect(0, rows);
                    return Loop.Taken.of(shards.backward(b, (from, count) ->
                            writer.of(ids.narrow(0, from, count), written.narrow(0, from, count))));
                }, () -> SafeTensors.write(file, loop.average(), Map.of("format", "pt")), onSave);
            }
        }
    }
}
