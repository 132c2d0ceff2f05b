package io.sfumato.training;

import io.sfumato.Listener;
import io.sfumato.families.TextIds;
import io.sfumato.models.tokenizer.PictureTokenizer;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.LongStream;

/** Scenes as a model that writes pictures sees them: texts (N, L) of ids above 0, padded with 0, and codes (N, places). */
record SceneCodes(Tensor texts, Tensor codes) {
    private static final int AT_ONCE = 50;

    /** The first {@code n} scenes; all of the run's processes have what the first one sees. */
    static SceneCodes of(Example.Source scenes, int n, TextIds words, int length, PictureTokenizer pictures, Run run) {
        int size = scenes.example(0).size(), side = size / pictures.factor(), places = side * side;
        long[] texts = new long[n * length], codes = new long[n * places];
        run.once(() -> {
            for (int from = 0; from < n; from += AT_ONCE) {
                List<Example> batch = LongStream.range(from, Math.min(n, from + AT_ONCE)).mapToObj(scenes::example).toList();
                try (var scope = new Scope(); var noGrad = new NoGrad()) {
                    long[] written = pictures.encode(AutoencoderTrainer.pictures(batch).add(1).mul(0.5)).toLongs();
                    System.arraycopy(written, 0, codes, from * places, written.length);
                    long[] read = words.encode(batch.stream().map(Example::caption).toList(), length, Listener.none()).toLongs();
                    System.arraycopy(read, 0, texts, from * length, read.length);
                }
                run.progress().step("codes", Math.min(n, from + AT_ONCE), n, Double.NaN);
            }
        });
        return new SceneCodes(run.group().broadcast(Tensor.of(texts, n, length), 0), run.group().broadcast(Tensor.of(codes, n, places), 0));
    }
}
