package io.sfumato.training;

import io.sfumato.models.clip.ClipText;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.util.List;
import java.util.Map;

/** What the U-Net sees of the captions of a training set: an encoder trained with it, or the kept states of a frozen one. */
interface TextStates extends AutoCloseable {
    /** What is trained along, by its names in the component {@code text_encoder}; may be empty. */
    Map<String, Tensor> parameters();

    /** Rows for the captions {@code pick} (B), those {@code dropped} (B, 1) being the empty one. */
    Tensor rows(Tensor pick, Tensor dropped);

    /** Text states (b, L, D) of such rows; gradients flow from them to the parameters. */
    Tensor states(Tensor rows);

    @Override
    void close();

    /** Token ids for an encoder that is trained; it stays the caller's. */
    static TextStates trained(ClipTokenizer tokenizer, ClipText text, Map<String, Tensor> parameters, List<String> captions) {
        Tensor ids = ids(tokenizer, captions).retain(), empty = ids(tokenizer, List.of("")).retain();        // (N, L), (1, L)
        return new TextStates() {
            @Override
            public Map<String, Tensor> parameters() {
                return parameters;
            }

            @Override
            public Tensor rows(Tensor pick, Tensor dropped) {
                return dropped.where(empty, ids.indexSelect(0, pick));
            }

            @Override
            public Tensor states(Tensor rows) {
                return text.forward(rows, 0);
            }

            @Override
            public void close() {
                ids.close();
                empty.close();
            }
        };
    }

    private static Tensor ids(ClipTokenizer tokenizer, List<String> captions) {
        int length = tokenizer.maxLength();
        long[] ids = new long[captions.size() * length];
        for (int i = 0; i < captions.size(); i++) {
            int[] row = tokenizer.encode(captions.get(i)).ids();
            for (int j = 0; j < length; j++) {
                ids[i * length + j] = row[j];
            }
        }
        return Tensor.of(ids, captions.size(), length);
    }
}
