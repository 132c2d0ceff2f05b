package io.sfumato.models.bert;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * BERT (Devlin et al. 2019, 3): a bidirectional post-norm Transformer over word pieces. Checkpoint names are those of transformers'
 * {@code BertModel}; its pooler is left out, as what reads this is interested in the states of tokens.
 */
public final class Bert {
    /** Of the sizes, only the number of heads is not in the shapes of a checkpoint. */
    public record Config(int vocabulary, int positions, int types, int width, int hidden, int layers, int heads, Activation activation,
                         double eps) {
        /** all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019): six layers of width 384. */
        public static final Config MINI_LM = new Config(30522, 512, 2, 384, 1536, 6, 12, Activation.GELU, 1e-12);

        public Config {
            if (heads < 1 || width % heads != 0) {
                throw new IllegalArgumentException("hidden_size " + width + " is not divisible by num_attention_heads " + heads);
            }
        }

        /** The first {@code count} of its layers: a smaller model in the same weights; 0 leaves the embeddings. */
        public Config withLayers(int count) {
            if (count < 0 || count > layers) {
                throw new IllegalArgumentException(count + " layers of a text encoder that has " + layers);
            }
            return new Config(vocabulary, positions, types, width, hidden, count, heads, activation, eps);
        }

        /** How many numbers its weights have. */
        public long parameters() {
            long layer = 4L * width * width + 2L * width * hidden + 9L * width + hidden;
            return (long) (vocabulary + positions + types + 2) * width + layers * layer;
        }

        /** Names that a file may have besides: buffers, and layers that the states of these do not need. */
        public boolean isExtra(String name) {
            Matcher layer = LAYER.matcher(name);
            return name.equals("embeddings.position_ids") || name.equals("embeddings.token_type_ids") || name.startsWith("pooler.")
                    || layer.lookingAt() && Integer.parseInt(layer.group(1)) >= layers;
        }

        /** Reads a {@code config.json} of transformers. */
        public static Config of(ConfigJson json) {
            json.require("position_embedding_type", "absolute");
            json.require("is_decoder", false);
            json.require("add_cross_attention", false);
            return new Config(json.integer("vocab_size", 30522), json.integer("max_position_embeddings", 512),
                    json.integer("type_vocab_size", 2), json.integer("hidden_size", 768), json.integer("intermediate_size", 3072),
                    json.integer("num_hidden_layers", 12), json.integer("num_attention_heads", 12),
                    Activation.of(json, "hidden_act", Activation.GELU), json.number("layer_norm_eps", 1e-12));
        }
    }

    private static final Pattern LAYER = Pattern.compile("encoder\\.layer\\.(\\d+)\\.");

    private final Config config;
    private final Embedding words;
    private final Embedding positions;
    private final Embedding types;
    private final LayerNorm norm;
    private final List<Layer> layers;

    public Bert(Weights w, Config config) {
        this.config = config;
        Weights embeddings = w.sub("embeddings");
        words = new Embedding(embeddings.sub("word_embeddings"), config.vocabulary, config.width, 0.02);
        positions = new Embedding(embeddings.sub("position_embeddings"), config.positions, config.width, 0.02);
        types = new Embedding(embeddings.sub("token_type_embeddings"), config.types, config.width, 0.02);
        norm = new LayerNorm(embeddings.sub("LayerNorm"), config.width, config.eps);
        Weights stack = w.sub("encoder").sub("layer");
        layers = IntStream.range(0, config.layers).mapToObj(i -> new Layer(stack.sub("" + i), config)).toList();
    }

    public Config config() {
        return config;
    }

    /**
     * The states of the last layer, for texts of one segment.
     *
     * @param ids    token ids (B, L) of int64, L at most {@code positions}
     * @param hidden what is added to the scores of each token (B, L): 0, or minus infinity for padding, which no token then sees
     * @return (B, L, D)
     */
    public Tensor forward(Tensor ids, Tensor hidden) {
        long b = ids.size(0), length = ids.size(1);
        if (length > config.positions) {
            throw new IllegalArgumentException(length + " tokens, where the text encoder has " + config.positions + " positions");
        }
        try (var scope = new Scope()) {
            Tensor x = words.forward(ids).add(types.first(1)).add(positions.first(length));                 // (B, L, D)
            x = norm.forward(x);
            Tensor mask = hidden.to(x).view(b, 1, 1, length);
            for (Layer layer : layers) {
                x = layer.forward(x, mask);
            }
            return scope.keep(x);
        }
    }

    private static final class Layer {
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final LayerNorm norm1;
        private final Linear fc1;
        private final Linear fc2;
        private final LayerNorm norm2;
        private final Config config;

        Layer(Weights w, Config c) {
            config = c;
            Weights self = w.sub("attention").sub("self"), output = w.sub("attention").sub("output");
            query = new Linear(self.sub("query"), c.width, c.width);
            key = new Linear(self.sub("key"), c.width, c.width);
            value = new Linear(self.sub("value"), c.width, c.width);
            out = new Linear(output.sub("dense"), c.width, c.width);
            norm1 = new LayerNorm(output.sub("LayerNorm"), c.width, c.eps);
            fc1 = new Linear(w.sub("intermediate").sub("dense"), c.width, c.hidden);
            fc2 = new Linear(w.sub("output").sub("dense"), c.hidden, c.width);
            norm2 = new LayerNorm(w.sub("output").sub("LayerNorm"), c.width, c.eps);
        }

        Tensor forward(Tensor x, Tensor mask) {                                             // x (B, L, D), mask (B, 1, 1, L)
            try (var scope = new Scope()) {
                Tensor seen = Attention.masked(query.forward(x), key.forward(x), value.forward(x), config.heads, mask);
                x = norm1.forward(x.add(out.forward(seen)));
                x = norm2.forward(x.add(fc2.forward(config.activation.apply(fc1.forward(x)))));
                return scope.keep(x);
            }
        }
    }
}
