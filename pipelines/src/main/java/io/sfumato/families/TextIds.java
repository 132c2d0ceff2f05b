package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import io.sfumato.text.SentencePiece;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Texts for models that keep id 0 for padding: the pieces of a SentencePiece model ({@code spiece.model}) or, without one, of CLIP's files,
 * each one id higher.
 *
 * @param size pieces and padding
 */
public record TextIds(Function<String, int[]> pieces, int size) {
    /** @param folder of the tokenizer's files */
    public static TextIds load(Path folder) {
        Path spiece = folder.resolve("spiece.model");
        if (Files.exists(spiece)) {
            SentencePiece model = SentencePiece.load(spiece);
            return new TextIds(model::ids, model.size() + 1);
        }
        ClipTokenizer tokenizer = ClipTokenizer.load(folder);
        return new TextIds(tokenizer::ids, tokenizer.vocabSize() + 1);
    }

    /** Texts (B, length), cut or padded with 0; {@code listener} is warned of those that are cut. */
    public Tensor encode(List<String> texts, int length, Listener listener) {
        long[] all = new long[texts.size() * length];
        for (int i = 0; i < texts.size(); i++) {
            int[] ids = pieces.apply(texts.get(i));
            if (ids.length > length) {
                listener.onWarning("the prompt has " + ids.length + " tokens, of which " + length + " are read");
            }
            for (int j = 0; j < Math.min(length, ids.length); j++) {
                all[i * length + j] = ids[j] + 1;
            }
        }
        return Tensor.of(all, texts.size(), length);
    }
}
