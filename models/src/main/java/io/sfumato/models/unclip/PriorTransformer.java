package io.sfumato.models.unclip;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.TimestepEmbedding;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The diffusion prior of unCLIP (Ramesh et al. 2022, 2.2): a causal Transformer over the text states, the text embedding, the time, the
 * noisy image embedding and a last token, whose state is the image embedding without noise. Checkpoint names are those of diffusers'
 * {@code PriorTransformer}, as Karlo and Kandinsky 2.2 have it.
 */
public final class PriorTransformer {
    private static final double EPS = 1e-5;
    /** Tokens after the text: text embedding, time, noisy image embedding, and the one that the answer is read from. */
    private static final int MORE = 4;
    private static final double HIDDEN = -10_000;

    /**
     * @param embed      width of image embeddings as they are sampled, and of text states
     * @param textEmbed  width of the text embedding
     * @param answer     width of what is predicted
     * @param tokens     of text
     * @param timeHidden width between the two layers of the time embedding
     * @param textNorm   whether the text embedding is normalised first
     * @param normIn     whether the tokens are normalised before the blocks
     */
    public record Config(int embed, int textEmbed, int answer, int tokens, int heads, int headWidth, int layers, int timeHidden,
                         Activation timeActivation, boolean textNorm, boolean normIn) {
        public Config {
            if (heads < 1 || headWidth < 1 || embed < 1 || tokens < 1) {
                throw new IllegalArgumentException("num_attention_heads " + heads + ", attention_head_dim " + headWidth + ", embedding_dim "
                        + embed + " and num_embeddings " + tokens + " must be at least 1");
            }
        }

        /**
         * Reads the {@code config.json} of a {@code prior} folder.
         *
         * @throws CheckpointException for a value that this network does not have
         */
        public static Config of(ConfigJson json) {
            only(json, "encoder_hid_proj_type", "linear");
            only(json, "added_emb_type", "prd");
            json.require("additional_embeddings", MORE);
            int embed = json.integer("embedding_dim", 768), heads = json.integer("num_attention_heads", 32);
            int headWidth = json.integer("attention_head_dim", 64);
            return new Config(embed, json.integer("embedding_proj_dim", embed), json.integer("clip_embed_dim", embed),
                    json.integer("num_embeddings", 77), heads, headWidth, json.integer("num_layers", 20),
                    json.integer("time_embed_dim", heads * headWidth), Activation.of(json, "time_embed_act_fn", Activation.SILU),
                    layerNorm(json, "embedding_proj_norm_type"), layerNorm(json, "norm_in_type"));
        }

        private static void only(ConfigJson json, String key, String value) {
            if (json.isNull(key)) {
                throw json.wrong(key, "null", value + " (nothing else is supported)");
            }
            json.require(key, value);
        }

        private static boolean layerNorm(ConfigJson json, String key) {
            json.require(key, "layer");
            return json.has(key);
        }

        int width() {
            return heads * headWidth;
        }
    }

    private final Config config;
    private final Linear time1;
    private final Linear time2;
    private final Linear noisy;
    private final List<LayerNorm> textNorm;
    private final Linear textEmbedding;
    private final Linear textStates;
    private final Tensor positions;
    private final Tensor last;
    private final List<LayerNorm> normIn;
    private final List<Block> blocks;
    private final LayerNorm normOut;
    private final Linear out;
    private final Tensor mean;
    private final Tensor deviation;

    public PriorTransformer(Weights w, Config c) {
        config = c;
        int width = c.width();
        time1 = new Linear(w.sub("time_embedding").sub("linear_1"), width, c.timeHidden);
        time2 = new Linear(w.sub("time_embedding").sub("linear_2"), c.timeHidden, width);
        noisy = new Linear(w.sub("proj_in"), c.embed, width);
        textNorm = c.textNorm ? List.of(new LayerNorm(w.sub("embedding_proj_norm"), c.textEmbed, EPS)) : List.of();
        textEmbedding = new Linear(w.sub("embedding_proj"), c.textEmbed, width);
        textStates = new Linear(w.sub("encoder_hidden_states_proj"), c.embed, width);
        positions = w.get("positional_embedding", Weights.Init.normal(0.01), 1, c.tokens + MORE, width);
        last = w.get("prd_embedding", Weights.Init.normal(0.01), 1, 1, width);
        normIn = c.normIn ? List.of(new LayerNorm(w.sub("norm_in"), width, EPS)) : List.of();
        blocks = IntStream.range(0, c.layers).mapToObj(i -> new Block(w.sub("transformer_blocks").sub("" + i), c)).toList();
        normOut = new LayerNorm(w.sub("norm_out"), width, EPS);
        out = new Linear(w.sub("proj_to_clip_embeddings"), width, c.answer);
        mean = w.get("clip_mean", Weights.Init.ZEROS, 1, c.answer);
        deviation = w.get("clip_std", Weights.Init.ONES, 1, c.answer);
    }

    public Config config() {
        return config;
    }

    /**
     * The image embedding that {@code x} shows under noise.
     *
     * @param x         noisy image embeddings (B, embed)
     * @param t         timesteps (B)
     * @param embedding text embeddings (B, textEmbed)
     * @param states    text states (B, tokens, embed)
     * @param mask      1 where these are text, 0 where padding (B, tokens)
     * @return (B, answer)
     */
    public Tensor forward(Tensor x, Tensor t, Tensor embedding, Tensor states, Tensor mask) {
        if (states.size(1) != config.tokens) {
            throw new IllegalArgumentException(states.size(1) + " tokens of text, where the prior takes " + config.tokens);
        }
        try (var scope = new Scope()) {
            Tensor time = TimestepEmbedding.sinusoid(t, config.width(), true, 0).to(x);
            time = time2.forward(config.timeActivation.apply(time1.forward(time)));                             // (B, D)
            for (LayerNorm norm : textNorm) {
                embedding = norm.forward(embedding);
            }
            Tensor tokens = Tensor.cat(1, textStates.forward(states), textEmbedding.forward(embedding).unsqueeze(1), time.unsqueeze(1),
                    noisy.forward(x).unsqueeze(1), last.expand(x.size(0), 1, config.width())).add(positions);   // (B, tokens + 4, D)
            for (LayerNorm norm : normIn) {
                tokens = norm.forward(tokens);
            }
            Tensor bias = bias(mask, 0, tokens);
            tokens = Scope.chain(tokens, blocks, (block, y) -> block.forward(y, bias));
            return scope.keep(out.forward(normOut.forward(tokens).select(1, tokens.size(1) - 1)));              // (B, answer)
        }
    }

    /**
     * What is added to the scores of {@code tokens} (B, n, D), L with the {@code before} of them: each sees those before it, of the text,
     * which is first, no padding. (B, 1, n, L).
     */
    static Tensor bias(Tensor mask, long before, Tensor tokens) {
        long length = before + tokens.size(1);
        Tensor at = Tensor.arange(length).to(DType.F32), own = at.narrow(0, before, tokens.size(1));
        Tensor later = own.unsqueeze(1).sub(at.unsqueeze(0)).lt(0).to(DType.F32).mul(HIDDEN);                   // (n, L)
        Tensor padding = Functional.pad(mask.to(DType.F32).neg().add(1).mul(HIDDEN), 0, length - mask.size(1)); // (B, L)
        return padding.unsqueeze(1).unsqueeze(1).add(later.to(padding.device())).to(tokens);
    }

    /** Sampled embeddings as CLIP has them: the prior was trained on ones of mean 0 and deviation 1. */
    public Tensor restore(Tensor x) {
        return x.mul(deviation).add(mean);
    }

    private static final class Block {
        private final LayerNorm norm1;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final LayerNorm norm3;
        private final Linear up;
        private final Linear down;
        private final int heads;

        Block(Weights w, Config c) {
            int width = c.width();
            norm1 = new LayerNorm(w.sub("norm1"), width, EPS);
            query = new Linear(w.sub("attn1").sub("to_q"), width, width);
            key = new Linear(w.sub("attn1").sub("to_k"), width, width);
            value = new Linear(w.sub("attn1").sub("to_v"), width, width);
            out = new Linear(w.sub("attn1").sub("to_out").sub("0"), width, width);
            norm3 = new LayerNorm(w.sub("norm3"), width, EPS);
            up = new Linear(w.sub("ff").sub("net").sub("0").sub("proj"), width, 4 * width);
            down = new Linear(w.sub("ff").sub("net").sub("2"), 4 * width, width);
            heads = c.heads;
        }

        Tensor forward(Tensor x, Tensor bias) {                                             // (B, L, D)
            try (var scope = new Scope()) {
                Tensor y = norm1.forward(x);
                x = out.plus(Attention.biased(query.forward(y), key.forward(y), value.forward(y), heads, bias), x);
                return scope.keep(down.plus(up.forward(norm3.forward(x)).gelu(), x));
            }
        }
    }
}
