package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.hub.ModelFolder;
import io.sfumato.models.t5.T5Encoder;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.T5Tokenizer;
import java.util.List;

/** Prompts as states of a frozen T5 encoder, in a folder's components {@code tokenizer} and {@code text_encoder}. */
final class T5Prompts implements AutoCloseable {
    private final T5Tokenizer tokenizer;
    private final Part<T5Encoder> encoder;
    private final LoadOptions load;
    private final int length;

    /** @param length ids of a prompt, padding included */
    T5Prompts(ModelFolder folder, LoadOptions load, int length, boolean stays) {
        tokenizer = T5Tokenizer.load(folder.folder("tokenizer"));
        encoder = new Part<>(recipe(folder, load), stays);
        this.load = load;
        this.length = length;
    }

    static T5Encoder.Config config(ModelFolder folder) {
        return T5Encoder.Config.of(folder.config("text_encoder"));
    }

    /** In bfloat16 where float16 is asked for: T5 leaves its range. */
    private static Part.Recipe<T5Encoder> recipe(ModelFolder folder, LoadOptions load) {
        T5Encoder.Config config = config(folder);
        return new Part.Recipe<>(() -> folder.weights("text_encoder"),
                w -> new T5Encoder(load.eightBitText() ? w.inEightBits() : w, config), T5Encoder::isExtra,
                load.dtype() == DType.F16 ? DType.BF16 : load.dtype(), load.device());
    }

    static long bytes(ModelFolder folder, LoadOptions load) {
        return config(folder).parameters() * (load.eightBitText() ? 1 : load.dtype().bytes());
    }

    /** The last states of each of {@code texts}, padding masked: (N, length, D). */
    Tensor states(List<String> texts, Listener listener) {
        return encoder.use(t5 -> {
            try (var scope = new Scope()) {
                return scope.keep(Tensor.cat(0, texts.stream().map(text -> states(t5, text, listener)).toArray(Tensor[]::new)));
            }
        });
    }

    private Tensor states(T5Encoder t5, String text, Listener listener) {
        T5Tokenizer.Encoded encoded = tokenizer.encode(text, length);
        if (!encoded.cutOff().isEmpty()) {
            listener.onWarning("the prompt has more than " + length + " tokens; cut off: " + encoded.cutOff());
        }
        Tensor ids = Tensor.of(encoded.ids()).unsqueeze(0).to(load.device());
        return t5.forward(ids, Tensor.of(encoded.mask()).unsqueeze(0).to(load.device()));                       // (1, L, D)
    }

    @Override
    public void close() {
        encoder.close();
    }
}
