package io.sfumato.training;

import io.sfumato.LoadOptions;
import io.sfumato.families.MiniLm;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Captions read once by the frozen language model: the states of the different ones, one after the other (T, 384) in float16, where each
 * begins and ends (N + 1, 2); the last is the empty caption's.
 */
final class FrozenStates implements TextStates {
    private static final int BATCH = 64;

    private final Tensor states;
    private final long[] bounds;
    private final int length;

    private FrozenStates(Tensor states, long[] bounds, int length) {
        this.states = states;
        this.bounds = bounds;
        this.length = length;
    }

    /** Reads the cache in the run's folder, or encodes {@code captions} and writes it. */
    static FrozenStates of(Run run, List<String> captions, Recipe.Frozen encoder) {
        Path file = run.file("text.safetensors");
        run.once(() -> {
            if (!Files.exists(file)) {
                encode(file, captions, encoder, run.progress());
            }
        });
        try (SafeTensors saved = SafeTensors.open(file); var scope = new Scope()) {
            return new FrozenStates(saved.get("states").retain(), saved.get("bounds").toLongs(), encoder.tokens());
        }
    }

    // Scenes share captions: each is encoded once.
    private static void encode(Path file, List<String> captions, Recipe.Frozen encoder, Progress progress) {
        List<String> all = new ArrayList<>(captions);
        all.add("");
        List<String> different = all.stream().distinct().toList();
        Map<String, long[]> places = new HashMap<>();
        List<Tensor> parts = new ArrayList<>();
        try (MiniLm text = new MiniLm(LoadOptions.defaults(), encoder.layers()); var scope = new Scope(); var noGrad = new NoGrad();
                Shards shards = new Shards(BATCH)) {
            long begin = 0;
            for (int i = 0; i < different.size(); i += BATCH) {
                List<int[]> batch = different.subList(i, Math.min(i + BATCH, different.size())).stream()
                        .map(caption -> text.encode(caption, encoder.tokens()).ids()).toList();
                try (var inner = new Scope()) {
                    parts.add(inner.keep(shards.rows(batch.size(), (from, count) -> states(text, batch.subList(from, from + count)))));
                }
                for (int j = 0; j < batch.size(); j++) {
                    places.put(different.get(i + j), new long[] {begin, begin + batch.get(j).length});
                    begin += batch.get(j).length;
                }
                progress.step("captions", i + batch.size(), different.size(), Double.NaN);
            }
            long[] bounds = all.stream().flatMapToLong(caption -> LongStream.of(places.get(caption))).toArray();
            SafeTensors.write(file, Map.of("states", Tensor.cat(0, parts.toArray(Tensor[]::new)),
                    "bounds", Tensor.of(bounds, all.size(), 2)), Map.of());
        }
    }

    private static Tensor states(MiniLm text, List<int[]> texts) {
        Tensor[] states = texts.stream().map(text::states).toArray(Tensor[]::new);
        return states.length == 0 ? Tensor.zeros(0, MiniLm.WIDTH).to(DType.F16) : Tensor.cat(0, states).to(DType.F16);
    }

    @Override
    public Map<String, Tensor> parameters() {
        return Map.of();
    }

    @Override
    public Tensor rows(Tensor pick, Tensor dropped) {
        try (var scope = new Scope()) {
            long[] captions = pick.toLongs(), empty = dropped.to(DType.I64).toLongs();
            Tensor[] rows = new Tensor[captions.length];
            for (int i = 0; i < rows.length; i++) {
                int at = empty[i] != 0 ? bounds.length - 2 : 2 * (int) captions[i];
                Tensor own = states.narrow(0, bounds[at], bounds[at + 1] - bounds[at]).to(DType.F32);
                rows[i] = MiniLm.padded(own, length);
            }
            return scope.keep(Tensor.stack(0, rows));                                                       // (B, L, D)
        }
    }

    @Override
    public Tensor states(Tensor rows) {
        return rows;
    }

    @Override
    public void close() {
        states.close();
    }
}
