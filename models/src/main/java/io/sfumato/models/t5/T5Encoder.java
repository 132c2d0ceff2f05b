package io.sfumato.models.t5;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.Linear;
import io.sfumato.nn.RmsNorm;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The encoder of T5 (Raffel et al. 2020, 2.1) and T5 v1.1 (Shazeer 2020, gated linear units): a pre-norm Transformer without biases,
 * whose attention knows positions by a learned bias for each bucket of distances. Checkpoint names are those of transformers'
 * {@code T5EncoderModel}; files of the whole T5 load too, less their decoder (see {@link #isExtra}).
 */
public final class T5Encoder {
    /** Hides a score in every type of float: far below any score, and float16 still has it. */
    private static final double HIDDEN = -3e4;
    /** Below the largest float16. */
    private static final double HALF_MAX = 64_504;

    /**
     * @param headWidth   width of one head, which the heads' sum need not equal {@code width} for
     * @param gated       whether the feed-forward layer is a gated linear unit, as in v1.1
     * @param buckets     of relative distances, half of them for each direction
     * @param maxDistance from which on all distances share a bucket
     */
    public record Config(int vocabulary, int width, int headWidth, int hidden, int layers, int heads, Activation activation,
                         boolean gated, int buckets, int maxDistance, double eps) {
        public Config {
            if (vocabulary < 1 || width < 1 || headWidth < 1 || hidden < 1 || layers < 1 || heads < 1) {
                throw new IllegalArgumentException("vocab_size " + vocabulary + ", d_model " + width + ", d_kv " + headWidth + ", d_ff "
                        + hidden + ", num_layers " + layers + " and num_heads " + heads + " must all be 1 or more");
            }
            if (buckets < 4 || maxDistance <= buckets / 4) {
                throw new IllegalArgumentException("relative_attention_num_buckets " + buckets + " with relative_attention_max_distance "
                        + maxDistance + ": 4 buckets or more are wanted, and a distance above a fourth of them");
            }
        }

        /** Reads a {@code config.json} of a {@code text_encoder} folder. */
        public static Config of(ConfigJson json) {
            String projection = json.text("feed_forward_proj", "relu");
            boolean gated = projection.startsWith("gated-");
            // "gated-gelu" has always meant the tanh approximation, as the published v1.1 were trained.
            Activation activation = projection.equals("gated-gelu") ? Activation.GELU_TANH
                    : Activation.of(json, "feed_forward_proj", projection.substring(gated ? "gated-".length() : 0));
            return new Config(json.integer("vocab_size", 32128), json.integer("d_model", 512), json.integer("d_kv", 64),
                    json.integer("d_ff", 2048), json.integer("num_layers", 6), json.integer("num_heads", 8), activation, gated,
                    json.integer("relative_attention_num_buckets", 32), json.integer("relative_attention_max_distance", 128),
                    json.number("layer_norm_epsilon", 1e-6));
        }

        private static Config v11(int width, int hidden, int layers, int heads) {
            return new Config(32128, width, 64, hidden, layers, heads, Activation.GELU_TANH, true, 32, 128, 1e-6);
        }

        public static Config small() {
            return v11(512, 1024, 8, 6);
        }

        public static Config base() {
            return v11(768, 2048, 12, 12);
        }

        public static Config large() {
            return v11(1024, 2816, 24, 16);
        }

        public static Config xl() {
            return v11(2048, 5120, 24, 32);
        }

        public static Config xxl() {
            return v11(4096, 10240, 24, 64);
        }

        /** Number of parameters. */
        public long parameters() {
            long inner = (long) heads * headWidth;
            long layer = 4 * width * inner + (gated ? 3L : 2L) * width * hidden + 2L * width;
            return (long) vocabulary * width + layers * layer + (long) buckets * heads + width;
        }
    }

    private final Config config;
    private final Embedding shared;
    private final Embedding distances;
    private final List<Block> blocks;
    private final RmsNorm finalNorm;

    public T5Encoder(Weights w, Config c) {
        config = c;
        shared = new Embedding(w.sub("shared", "encoder.embed_tokens"), c.vocabulary, c.width, 1);
        Weights stack = w.sub("encoder").sub("block");
        distances = new Embedding(stack.sub("0").sub("layer").sub("0").sub("SelfAttention").sub("relative_attention_bias"),
                c.buckets, c.heads, 1 / Math.sqrt(c.width));
        blocks = IntStream.range(0, c.layers).mapToObj(i -> new Block(stack.sub("" + i).sub("layer"), c)).toList();
        finalNorm = new RmsNorm(w.sub("encoder").sub("final_layer_norm"), c.width, c.eps);
    }

    /** The second name of the tied embedding, and the decoder in files of the whole T5. */
    public static boolean isExtra(String name) {
        return name.equals("encoder.embed_tokens.weight") || name.equals("lm_head.weight") || name.startsWith("decoder.");
    }

    public Config config() {
        return config;
    }

    /**
     * The last states, after the final norm.
     *
     * @param ids token ids (B, L) of int64
     * @return (B, L, D)
     */
    public Tensor forward(Tensor ids) {
        try (var scope = new Scope()) {
            return scope.keep(encode(ids, bias(ids)));
        }
    }

    /** As {@link #forward(Tensor)}, where tokens whose {@code mask} (B, L) is 0 are not seen by the others. */
    public Tensor forward(Tensor ids, Tensor mask) {
        try (var scope = new Scope()) {
            Tensor hidden = mask.to(DType.F32).sub(1).mul(-HIDDEN).unsqueeze(1).unsqueeze(1);                  // (B, 1, 1, L)
            return scope.keep(encode(ids, bias(ids).to(DType.F32).add(hidden)));
        }
    }

    private Tensor encode(Tensor ids, Tensor bias) {
        Tensor x = shared.forward(ids);                                                                        // (B, L, D)
        bias = bias.to(x.dtype());
        for (Block block : blocks) {
            x = block.forward(x, bias);
        }
        return finalNorm.forward(x);
    }

    /** What each head adds to the score of query i and key j, by their distance: (1, heads, L, L). */
    private Tensor bias(Tensor ids) {
        int length = Math.toIntExact(ids.size(1));
        long[] bucket = new long[length * length];
        long[] near = buckets(length);
        for (int i = 0; i < length; i++) {
            for (int j = 0; j < length; j++) {
                bucket[i * length + j] = near[Math.abs(j - i)] + (j > i ? config.buckets / 2 : 0);
            }
        }
        return distances.forward(Tensor.of(bucket, length, length).to(ids.device())).permute(2, 0, 1).unsqueeze(0);
    }

    /** The bucket of each distance below {@code length}: one each for the first half of them, then wider and wider ones. */
    private long[] buckets(int length) {
        int each = config.buckets / 2, exact = each / 2;
        double widening = Math.log(config.maxDistance / (double) exact);
        long[] wide = Tensor.arange(length).to(DType.F32).div(exact).log().div(widening).mul(each - exact).clamp(0, each)
                .to(DType.I64).toLongs();
        return IntStream.range(0, length).mapToLong(d -> d < exact ? d : Math.min(exact + wide[d], each - 1)).toArray();
    }

    private static final class Block {
        private final Config config;
        private final RmsNorm norm1;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final RmsNorm norm2;
        private final List<Linear> up;
        private final Linear down;

        Block(Weights w, Config c) {
            config = c;
            int inner = c.heads * c.headWidth;
            Weights attention = w.sub("0").sub("SelfAttention"), feedForward = w.sub("1").sub("DenseReluDense");
            norm1 = new RmsNorm(w.sub("0").sub("layer_norm"), c.width, c.eps);
            query = Linear.withoutBias(attention.sub("q"), c.width, inner);
            key = Linear.withoutBias(attention.sub("k"), c.width, inner);
            value = Linear.withoutBias(attention.sub("v"), c.width, inner);
            out = Linear.withoutBias(attention.sub("o"), inner, c.width);
            norm2 = new RmsNorm(w.sub("1").sub("layer_norm"), c.width, c.eps);
            up = (c.gated ? List.of("wi_0", "wi_1") : List.of("wi")).stream()
                    .map(name -> Linear.withoutBias(feedForward.sub(name), c.width, c.hidden)).toList();
            down = Linear.withoutBias(feedForward.sub("wo"), c.hidden, c.width);
        }

        Tensor forward(Tensor x, Tensor bias) {                                                                // (B, L, D)
            try (var scope = new Scope()) {
                x = finite(x.add(attention(norm1.forward(x), bias)));
                x = finite(x.add(feedForward(norm2.forward(x))));
                return scope.keep(x);
            }
        }

        private Tensor attention(Tensor x, Tensor bias) {
            // T5 does not divide scores by the root of the head's width: its initialisation does.
            Tensor q = query.forward(x).mul(Math.sqrt(config.headWidth));
            return out.forward(Attention.biased(q, key.forward(x), value.forward(x), config.heads, bias));
        }

        private Tensor feedForward(Tensor x) {
            Tensor h = config.activation.apply(up.get(0).forward(x));                                          // (B, L, hidden)
            return down.forward(config.gated ? h.mul(up.get(1).forward(x)) : h);
        }

        /** The residual stream of the large ones leaves float16's range. */
        private static Tensor finite(Tensor x) {
            return x.dtype() == DType.F16 ? x.clamp(-HALF_MAX, HALF_MAX) : x;
        }
    }
}
