package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.ConfigJson;
import io.sfumato.models.clip.ClipText;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.ClipTokenizer;
import java.util.List;
import java.util.function.Function;

/** Texts as CLIP reads them, for models of the unCLIP kind: their place in its space, and a state for each token. */
final class UnclipTexts implements AutoCloseable {
    /** Text embeddings (B, E), states (B, L, D), and 1 where these are text, 0 where padding (B, L). */
    record Read(Tensor embeddings, Tensor states, Tensor mask) {
        private Read map(Function<Tensor, Tensor> f) {
            return new Read(f.apply(embeddings), f.apply(states), f.apply(mask));
        }

        /** Each row {@code count} times. */
        Read each(int count) {
            return map(x -> x.repeatInterleave(count, 0));
        }

        /** A share (B, 1) of the way to what stands at the end; between both, what is text in either is text. */
        Read toward(Read end, Tensor shares) {
            Tensor t = shares.to(embeddings), rest = t.neg().add(1);
            Tensor begun = t.lt(1).to(mask), left = t.neg().lt(0).to(mask);
            return new Read(embeddings.mul(rest).add(end.embeddings.mul(t)),
                    states.mul(rest.unsqueeze(2)).add(end.states.mul(t.unsqueeze(2))),
                    mask.mul(begun).add(end.mask.mul(left)).clamp(0, 1));
        }
    }

    private final LoadOptions load;
    private final ClipTokenizer tokenizer;
    private final ClipText.Config config;
    private final Part<ClipText> text;

    UnclipTexts(ModelFolder folder, LoadOptions load, boolean stays) {
        this.load = load;
        tokenizer = folder.tokenizer();
        config = ClipText.Config.of(folder.config("text_encoder"));
        text = new Part<>(recipe(folder, load), stays);
    }

    static Part.Recipe<ClipText> recipe(ModelFolder folder, LoadOptions load) {
        ConfigJson json = folder.config("text_encoder");
        ClipText.Config config = ClipText.Config.of(json);
        return new Part.Recipe<>(() -> folder.weights("text_encoder"), w -> new ClipText(w, config),
                name -> name.endsWith(ClipText.POSITION_IDS), load.dtype(), load.device());
    }

    /** States of a text. */
    int length() {
        return tokenizer.maxLength();
    }

    ClipText.Config config() {
        return config;
    }

    Read read(List<String> texts, Listener listener) {
        List<ClipTokenizer.Encoded> encoded = texts.stream().map(tokenizer::encode).toList();
        encoded.stream().filter(e -> !e.cutOff().isEmpty()).forEach(e -> listener.onWarning("the prompt has more than "
                + tokenizer.maxLength() + " tokens; cut off: " + e.cutOff()));
        return text.use(clip -> {
            try (var scope = new Scope()) {
                Tensor ids = stack(encoded, e -> Tensor.of(e.ids())).to(load.device());                         // (B, L)
                Tensor mask = stack(encoded, e -> Tensor.arange(tokenizer.maxLength()).lt(e.count()).to(DType.F32)).to(load.device());
                Tensor states = clip.forward(ids, 0);                                                           // (B, L, D)
                Tensor embeddings = clip.project(clip.pool(states, ids));                                       // (B, E)
                return new Read(scope.keep(embeddings), scope.keep(states), scope.keep(mask));
            }
        });
    }

    private static Tensor stack(List<ClipTokenizer.Encoded> encoded, Function<ClipTokenizer.Encoded, Tensor> of) {
        return Tensor.stack(0, encoded.stream().map(of).toArray(Tensor[]::new));
    }

    @Override
    public void close() {
        text.close();
    }
}
