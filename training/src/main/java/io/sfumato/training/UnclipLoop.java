package io.sfumato.training;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The loop that each network of an unCLIP is trained in. */
record UnclipLoop(long seed, Run run, Example.Source scenes) {
    /** Scenes of one network, of which no other sees any, and which CLIP did not see. */
    static final long SCENES = 1L << 34;

    /** What a part of a batch costs, given the scenes of the batch and a source of all that is random. */
    interface Batches {
        Shards.Loss of(List<Example> scenes, Rng rng);
    }

    /**
     * Trains to the end, or goes on from the last checkpoint.
     *
     * @param number of the network, from 0: its scenes are its own
     * @param onSave gets the averaged parameters at each checkpoint
     */
    void run(String stage, int number, Recipe.Loop settings, Map<String, Tensor> parameters, Batches batches,
            Consumer<Map<String, Tensor>> onSave) {
        int b = settings.batch();
        try (Loop loop = new Loop(run, stage, settings, seed << 32, parameters);
                var ahead = new SceneBatches<>(scenes::example, b, (number + 1) * SCENES + loop.done() * b);
                Shards shards = new Shards(run, settings)) {
            loop.run((step, rng) -> Loop.Taken.of(shards.backward(b, batches.of(ahead.next(), rng))),
                    () -> onSave.accept(loop.average()), done -> { });
        }
    }
}
