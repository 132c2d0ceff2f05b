package io.sfumato.models.mindalle;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.Past;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * The Transformer of minDALL-E (Kim et al. 2021, Kakao Brain): GPT on one stream of text tokens, then codes of a picture, after DALL-E
 * (Ramesh et al. 2021, 2.2), with dense attention. Checkpoint names are those of its {@code stage2_last.ckpt}.
 */
public final class MinDalle {
    private static final double EPS = 1e-5;
    private static final double STD = 0.02;

    /**
     * @param textVocabulary words of the text tokenizer
     * @param codes          of the picture tokenizer
     * @param textLength     text tokens, padding included: all are seen
     * @param grid           codes of a row, and rows
     */
    public record Config(int width, int layers, int heads, int textVocabulary, int codes, int textLength, int grid, boolean attentionBias,
                         boolean mlpBias, Activation activation) {
        public Config {
            if (layers < 1 || heads < 1 || width % heads != 0 || textLength < 1 || grid < 1 || codes < 1 || textVocabulary < 1) {
                throw new IllegalArgumentException("embed_dim " + width + " must be a multiple of n_heads " + heads + "; n_layers " + layers
                        + ", ctx_len_txt " + textLength + ", vocab_size_txt " + textVocabulary + ", vocab_size_img " + codes
                        + " and the grid " + grid + " at least 1");
            }
        }

        /** Reads {@code stage2} of a {@code config.yaml}. */
        public static Config of(ConfigJson stage2) {
            stage2.require("type", "transformer1d");
            ConfigJson json = stage2.child("hparams");
            int length = json.integer("ctx_len_img", 256), grid = (int) Math.round(Math.sqrt(length));
            if (grid * grid != length) {
                throw json.wrong("ctx_len_img", length, "the square of a row of codes");
            }
            return new Config(json.integer("embed_dim", 1536), json.integer("n_layers", 42), json.integer("n_heads", 24),
                    stage2.integer("vocab_size_txt", 16384), stage2.integer("vocab_size_img", 16384), json.integer("ctx_len_txt", 64), grid,
                    json.flag("attn_bias", true), json.flag("mlp_bias", true),
                    json.flag("gelu_use_approx", false) ? Activation.QUICK_GELU : Activation.GELU);
        }

        /** Codes of a picture. */
        public int length() {
            return grid * grid;
        }
    }

    private final Config config;
    private final Embedding imageTokens;
    private final Embedding textTokens;
    private final Embedding imagePlaces;
    private final Embedding textPlaces;
    private final List<Block> blocks = new ArrayList<>();
    private final LayerNorm norm;
    private final Linear imageHead;
    private final Linear textHead;

    public MinDalle(Weights w, Config config) {
        this.config = config;
        imageTokens = new Embedding(w.sub("tok_emb_img"), config.codes, config.width, STD);
        textTokens = new Embedding(w.sub("tok_emb_txt"), config.textVocabulary, config.width, STD);
        imagePlaces = new Embedding(w.sub("pos_emb_img"), config.length(), config.width, STD);
        textPlaces = new Embedding(w.sub("pos_emb_txt"), config.textLength, config.width, STD);
        for (int i = 0; i < config.layers; i++) {
            blocks.add(new Block(w.sub("blocks").sub("" + i), config));
        }
        norm = new LayerNorm(w.sub("ln_f"), config.width, EPS);
        imageHead = Linear.withoutBias(w.sub("head_img"), config.width, config.codes);
        textHead = Linear.withoutBias(w.sub("head_txt"), config.width, config.textVocabulary);
    }

    public Config config() {
        return config;
    }

    /** Text ids (B, textLength) to (B, textLength, D). */
    public Tensor text(Tensor ids) {
        return textTokens.forward(ids).add(textPlaces.first(ids.size(1)));
    }

    /** Codes (B, n) of a picture, the first at {@code place}, to (B, n, D). */
    public Tensor image(Tensor codes, int place) {
        return imageTokens.forward(codes).add(imagePlaces.first(place + codes.size(1)).narrow(0, place, codes.size(1)));
    }

    /** Embedded tokens (B, n, D) that follow {@code past} to states (B, n, D), for the two heads. */
    public Tensor forward(Tensor x, IntFunction<Past> past) {
        for (int i = 0; i < blocks.size(); i++) {
            x = blocks.get(i).forward(x, past.apply(i));
        }
        return norm.forward(x);
    }

    /** Logits (..., codes) of the code that follows. */
    public Tensor imageLogits(Tensor x) {
        return imageHead.forward(x);
    }

    /** Logits (..., textVocabulary) of the text token that follows. */
    public Tensor textLogits(Tensor x) {
        return textHead.forward(x);
    }

    private static final class Block {
        private final LayerNorm ln1;
        private final Linear key;
        private final Linear query;
        private final Linear value;
        private final Linear proj;
        private final LayerNorm ln2;
        private final Linear up;
        private final Linear down;
        private final Config config;

        Block(Weights w, Config c) {
            Weights attention = w.sub("attn"), mlp = w.sub("mlp");
            ln1 = new LayerNorm(w.sub("ln1"), c.width, EPS);
            key = Linear.of(attention.sub("key"), c.width, c.width, c.attentionBias);
            query = Linear.of(attention.sub("query"), c.width, c.width, c.attentionBias);
            value = Linear.of(attention.sub("value"), c.width, c.width, c.attentionBias);
            proj = Linear.of(attention.sub("proj"), c.width, c.width, c.attentionBias);
            ln2 = new LayerNorm(w.sub("ln2"), c.width, EPS);
            up = Linear.of(mlp.sub("0"), c.width, 4 * c.width, c.mlpBias);
            down = Linear.of(mlp.sub("2"), 4 * c.width, c.width, c.mlpBias);
            config = c;
        }

        Tensor forward(Tensor x, Past past) {                                               // (B, n, D)
            try (var scope = new Scope()) {
                Tensor h = ln1.forward(x);
                x = x.add(proj.forward(Attention.decode(query.forward(h), key.forward(h), value.forward(h), config.heads, past)));
                return scope.keep(x.add(down.forward(config.activation.apply(up.forward(ln2.forward(x))))));
            }
        }
    }
}
