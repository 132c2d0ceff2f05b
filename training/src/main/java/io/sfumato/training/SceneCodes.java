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

    /** The first {@code n} scenes. */
    static SceneCodes of(Example.Source scenes, int n, TextIds words, int length, PictureTokenizer pictures, Progress progress) {
        int size = scenes.example(0).size(), side = size / pictures.factor(), places = side * side;
        long[] texts = new long[n * length], codes = new long[n * places];
        for (int from = 0; from < n; from += AT_ONCE) {
            List<Example> batch = LongStream.range(from, Math.min(n, from + AT_ONCE)).mapToObj(scenes::example).toList();
            try (var scope = new Scope(); var noGrad = new NoGrad()) {
                long[] written = pictures.encode(AutoencoderTrainer.pictures(batch).add(1).mul(0.5)).toLongs();
                System.arraycopy(written, 0, codes, from * places, written.length);
                long[] read = words.encode(batch.stream().map(Example::caption).toList(), length, Listener.none()).toLongs();
                System.arraycopy(read, 0, texts, from * length, read.length);
            }
            progress.step("codes", Math.min(n, from + AT_ONCE), n, Double.NaN);
        }
        return new SceneCodes(Tensor.of(texts, n, length), Tensor.of(codes, n, places));
    }
}
