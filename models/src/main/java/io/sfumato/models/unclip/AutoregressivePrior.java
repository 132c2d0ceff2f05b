package io.sfumato.models.unclip;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.KvCache;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * The autoregressive prior of unCLIP (Ramesh et al. 2022, 2.2): an image embedding is turned into its principal components, the largest
 * first, each of them one of a few whole numbers, which a causal Transformer writes one after the other behind the text states, the text
 * embedding and a token that says how well text and picture agree. The paper published no weights; the names here are ours.
 */
public final class AutoregressivePrior {
    private static final double EPS = 1e-5;
    /** Tokens between the text and the codes: text embedding and agreement. */
    private static final int BETWEEN = 2;

    /**
     * @param embed      width of embeddings and of text states
     * @param tokens     of text
     * @param components principal components that are kept: 319 of 1024 in the paper
     * @param buckets    values of each: 1024 in the paper
     * @param agreements values of the dot product of text and picture
     */
    public record Config(int embed, int tokens, int components, int buckets, int agreements, int heads, int headWidth, int layers) {
        public Config {
            if (embed < 1 || tokens < 1 || buckets < 2 || agreements < 2 || heads < 1 || headWidth < 1 || layers < 1) {
                throw new IllegalArgumentException("embedding_dim " + embed + ", num_embeddings " + tokens + ", num_attention_heads "
                        + heads + ", attention_head_dim " + headWidth + " and num_layers " + layers + " must be at least 1, num_buckets "
                        + buckets + " and num_agreements " + agreements + " at least 2");
            }
            if (components < 1 || components > embed) {
                throw new IllegalArgumentException("num_components must be 1 to embedding_dim " + embed + ", not " + components);
            }
        }

        /** Reads the {@code config.json} of a {@code prior} folder. */
        public static Config of(ConfigJson json) {
            return new Config(json.integer("embedding_dim"), json.integer("num_embeddings"), json.integer("num_components"),
                    json.integer("num_buckets"), json.integer("num_agreements"), json.integer("num_attention_heads"),
                    json.integer("attention_head_dim"), json.integer("num_layers"));
        }

        int width() {
            return heads * headWidth;
        }
    }

    private final Config config;
    private final Linear textStates;
    private final Linear textEmbedding;
    private final Embedding agreement;
    private final Embedding code;
    private final Tensor positions;
    private final List<Block> blocks;
    private final LayerNorm normOut;
    private final Linear out;
    private final Tensor mean;
    private final Tensor axes;
    private final Tensor least;
    private final Tensor most;
    private final Tensor edges;

    public AutoregressivePrior(Weights w, Config c) {
        config = c;
        int width = c.width();
        textStates = new Linear(w.sub("text_states"), c.embed, width);
        textEmbedding = new Linear(w.sub("text_embedding"), c.embed, width);
        agreement = new Embedding(w.sub("agreement"), c.agreements, width, 0.02);
        code = new Embedding(w.sub("code"), c.buckets, width, 0.02);
        positions = w.get("positions", Weights.Init.normal(0.01), 1, c.tokens + BETWEEN + c.components - 1, width);
        blocks = IntStream.range(0, c.layers).mapToObj(i -> new Block(w.sub("blocks").sub("" + i), c)).toList();
        normOut = new LayerNorm(w.sub("norm_out"), width, EPS);
        out = new Linear(w.sub("out"), width, c.buckets);
        mean = w.get("mean", Weights.Init.ZEROS, 1, c.embed);
        axes = w.get("axes", Weights.Init.ZEROS, c.components, c.embed);
        least = w.get("least", Weights.Init.ZEROS, 1, c.components);
        most = w.get("most", Weights.Init.ONES, 1, c.components);
        edges = w.get("edges", Weights.Init.ZEROS, c.agreements - 1);
    }

    public Config config() {
        return config;
    }

    /** Image embeddings (B, E) as codes (B, components): whole numbers of 0 to buckets - 1. */
    public Tensor codes(Tensor embeddings) {
        Tensor x = embeddings.sub(mean).matmul(axes.transpose(0, 1));                                   // (B, components)
        Tensor share = x.sub(least).div(most.sub(least)).clamp(0, 1 - 1e-6);
        return share.mul(config.buckets).to(DType.I64);
    }

    /** The embeddings (B, E) in the middle of what codes (B, components) stand for. */
    public Tensor embeddings(Tensor codes) {
        Tensor share = codes.to(mean).add(0.5).div(config.buckets);
        return share.mul(most.sub(least)).add(least).matmul(axes).add(mean);
    }

    /** How well image embeddings (B, E) agree with text embeddings (B, E): the share of pictures that agree less, as a whole number (B). */
    public Tensor agreements(Tensor images, Tensor texts) {
        Tensor dot = images.mul(texts).sum(true, -1);                                                   // (B, 1)
        return edges.unsqueeze(0).sub(dot).lt(0).to(DType.F32).sum(false, -1).to(DType.I64);
    }

    /**
     * What the next codes are.
     *
     * @param codes     those before (B, n), n of 0 to components - 1
     * @param embedding text embeddings (B, E)
     * @param states    text states (B, tokens, E)
     * @param mask      1 where these are text, 0 where padding (B, tokens)
     * @param agree     how well text and picture are to agree (B), 0 to agreements - 1
     * @return logits (B, n + 1, buckets) of each code and of the next
     */
    public Tensor forward(Tensor codes, Tensor embedding, Tensor states, Tensor mask, Tensor agree) {
        if (states.size(1) != config.tokens || codes.size(1) >= config.components) {
            throw new IllegalArgumentException(states.size(1) + " tokens of text and " + codes.size(1) + " codes, where " + config.tokens
                    + " and 0 to " + (config.components - 1) + " are wanted");
        }
        try (var scope = new Scope()) {
            Tensor tokens = Tensor.cat(1, prompt(embedding, states, agree), code.forward(codes));       // (B, L, D)
            return scope.keep(logits(tokens, 0, mask, codes.size(1) + 1, i -> Past.NONE));              // (B, n + 1, buckets)
        }
    }

    /** For the keys and values of what {@code rows} embeddings are written after, of the type and on the device of {@code like}. */
    public KvCache cache(long rows, Tensor like) {
        return new KvCache(config.layers, rows, config.heads, config.headWidth, (int) positions.size(1), like);
    }

    /** As {@link #forward}, of the first code (B, buckets). */
    public Tensor first(Tensor embedding, Tensor states, Tensor mask, Tensor agree, IntFunction<Past> past) {
        try (var scope = new Scope()) {
            return scope.keep(logits(prompt(embedding, states, agree), 0, mask, 1, past).select(1, 0));
        }
    }

    /** Logits (B, buckets) of what follows a code (B), {@code past} being what was read before that. */
    public Tensor next(Tensor last, Tensor mask, IntFunction<Past> past) {
        try (var scope = new Scope()) {
            return scope.keep(logits(code.forward(last.unsqueeze(1)), past.apply(0).length(), mask, 1, past).select(1, 0));
        }
    }

    /** What stands before the codes, (B, tokens + 2, D). */
    private Tensor prompt(Tensor embedding, Tensor states, Tensor agree) {
        return Tensor.cat(1, textStates.forward(states), textEmbedding.forward(embedding).unsqueeze(1),
                agreement.forward(agree).unsqueeze(1));
    }

    /** After the last {@code n} of {@code tokens} (B, L, D), which follow {@code before} others: (B, n, buckets). */
    private Tensor logits(Tensor tokens, int before, Tensor mask, long n, IntFunction<Past> past) {
        long length = tokens.size(1);
        Tensor bias = PriorTransformer.bias(mask, before, tokens);
        Tensor x = Scope.chain(tokens.add(positions.narrow(1, before, length)), IntStream.range(0, blocks.size()).boxed().toList(),
                (i, y) -> blocks.get(i).forward(y, bias, past.apply(i)));
        return out.forward(normOut.forward(x.narrow(1, length - n, n)));
    }

    private static final class Block {
        private final LayerNorm norm1;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear attended;
        private final LayerNorm norm2;
        private final Linear up;
        private final Linear down;
        private final int heads;

        Block(Weights w, Config c) {
            int width = c.width();
            norm1 = new LayerNorm(w.sub("norm1"), width, EPS);
            query = new Linear(w.sub("query"), width, width);
            key = new Linear(w.sub("key"), width, width);
            value = new Linear(w.sub("value"), width, width);
            attended = new Linear(w.sub("attended"), width, width);
            norm2 = new LayerNorm(w.sub("norm2"), width, EPS);
            up = new Linear(w.sub("up"), width, 4 * width);
            down = new Linear(w.sub("down"), 4 * width, width);
            heads = c.heads;
        }

        Tensor forward(Tensor x, Tensor bias, Past past) {                                  // (B, L, D)
            try (var scope = new Scope()) {
                Tensor y = norm1.forward(x), q = Attention.split(query.forward(y), heads);
                Tensor[] kv = past.append(Attention.split(key.forward(y), heads), Attention.split(value.forward(y), heads));
                x = attended.plus(Attention.merge(Functional.attention(q, kv[0], kv[1], bias)), x);
                return scope.keep(down.plus(up.forward(norm2.forward(x)).gelu(), x));
            }
        }
    }
}
