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
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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

    // Scenes share captions: each is encoded once, beside others of as many tokens.
    private static void encode(Path file, List<String> captions, Recipe.Frozen encoder, Progress progress) {
        List<String> all = new ArrayList<>(captions);
        all.add("");
        List<String> different = all.stream().distinct().toList();
        Map<String, long[]> places = new HashMap<>();
        List<Tensor> parts = new ArrayList<>();
        try (MiniLm text = new MiniLm(LoadOptions.defaults(), encoder.layers()); var scope = new Scope(); var noGrad = new NoGrad();
                Shards shards = new Shards(BATCH)) {
            long begin = 0;
            for (List<Read> batch : batches(different.stream().map(c -> new Read(c, text.encode(c, encoder.tokens()).ids())).toList())) {
                try (var inner = new Scope()) {
                    parts.add(inner.keep(shards.rows(batch.size(), (from, count) -> states(text, batch.subList(from, from + count)))));
                }
                for (Read read : batch) {
                    places.put(read.caption(), new long[] {begin, begin + read.ids().length});
                    begin += read.ids().length;
                }
                progress.step("captions", places.size(), different.size(), Double.NaN);
            }
            long[] bounds = all.stream().flatMapToLong(caption -> LongStream.of(places.get(caption))).toArray();
            SafeTensors.write(file, Map.of("states", Tensor.cat(0, parts.toArray(Tensor[]::new)),
                    "bounds", Tensor.of(bounds, all.size(), 2)), Map.of());
        }
    }

    private record Read(String caption, int[] ids) {
    }

    /** Captions of as many tokens beside each other, the shortest first. */
    private static List<List<Read>> batches(List<Read> captions) {
        return captions.stream()
                .collect(Collectors.groupingBy(read -> read.ids().length, TreeMap::new, Collectors.toList())).values().stream()
                .flatMap(alike -> IntStream.iterate(0, i -> i < alike.size(), i -> i + BATCH)
                        .mapToObj(i -> alike.subList(i, Math.min(i + BATCH, alike.size())))).toList();
    }

    /** One after the other, in float16. */
    private static Tensor states(MiniLm text, List<Read> batch) {
        return (batch.isEmpty() ? Tensor.zeros(0, MiniLm.WIDTH) : text.states(batch.stream().map(Read::ids).toList()).flatten(0, 1))
                .to(DType.F16);
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
