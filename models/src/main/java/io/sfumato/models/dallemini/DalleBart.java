package io.sfumato.models.dallemini;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * DALL-E mini and mega (Dayma et al. 2021): BART (Lewis et al. 2020) with the extra norms of NormFormer (Shleifer et al. 2021) and gated
 * linear units, reading a text and writing the codes of a picture. Encoder and decoder are two files, with the names of min-dalle.
 */
public final class DalleBart {
    private static final double EPS = 1e-5;
    private static final double STD = 0.02;
    private static final double HIDDEN = -1e12;

    /**
     * @param hidden     width of the gated unit
     * @param textLength text tokens, padding included
     * @param codes      that are drawn; the table of the decoder and its head may have a few rows more
     * @param tableRows  rows of the decoder's table and head
     * @param grid       codes of a row, and rows
     */
    public record Config(int width, int encoderLayers, int decoderLayers, int encoderHeads, int decoderHeads, int hidden,
                         int textVocabulary, int textLength, int codes, int tableRows, int grid) {
        public Config {
            if (encoderLayers < 1 || decoderLayers < 1 || encoderHeads < 1 || decoderHeads < 1 || width % encoderHeads != 0
                    || width % decoderHeads != 0) {
                throw new IllegalArgumentException("width " + width + " must be a multiple of the encoder's " + encoderHeads
                        + " heads and of the decoder's " + decoderHeads + "; layers " + encoderLayers + " and " + decoderLayers
                        + " at least 1");
            }
            if (codes < 1 || codes > tableRows) {
                throw new IllegalArgumentException("the decoder's table has " + tableRows + " rows, where " + codes + " codes are drawn");
            }
        }

        /**
         * Sizes from the tensors; heads from {@code json} where it names them, else they are 64 wide, as in both published models.
         *
         * @param codes entries of the picture tokenizer
         */
        public static Config of(TensorSource encoder, TensorSource decoder, int codes, ConfigJson json) {
            int width = size(encoder, "embed_tokens.weight", 1), length = size(decoder, "embed_positions.weight", 0);
            int heads = Math.max(1, width / 64), grid = (int) Math.round(Math.sqrt(length));
            if (!json.has("encoder_attention_heads") && width % 64 != 0) {
                throw new CheckpointException(encoder.description() + ": the number of heads does not stand in the file: a config.json"
                        + " with encoder_attention_heads and decoder_attention_heads is wanted beside it");
            }
            if (grid * grid != length) {
                throw new CheckpointException(decoder.description() + ": embed_positions.weight has " + length
                        + " rows, where the square of a row of codes is wanted");
            }
            return new Config(width, layers(encoder), layers(decoder), json.integer("encoder_attention_heads", heads),
                    json.integer("decoder_attention_heads", json.integer("encoder_attention_heads", heads)),
                    size(encoder, "layers.0.glu.fc0.weight", 0), size(encoder, "embed_tokens.weight", 0),
                    size(encoder, "embed_positions.weight", 0), codes, size(decoder, "lm_head.weight", 0), grid);
        }

        private static int layers(TensorSource file) {
            return (int) IntStream.iterate(0, i -> i + 1).takeWhile(i -> file.names().contains("layers." + i + ".glu.fc0.weight")).count();
        }

        private static int size(TensorSource file, String name, int dim) {
            if (!file.names().contains(name) || file.shape(name).length != 2) {
                throw new CheckpointException(file.description() + ": no encoder or decoder of DALL-E mini: there is no matrix " + name);
            }
            return Math.toIntExact(file.shape(name)[dim]);
        }

        /** Codes of a picture. */
        public int length() {
            return grid * grid;
        }

        /** What the decoder reads before the first code: an ordinary code. */
        public int start() {
            return codes - 1;
        }
    }

    /** Keys and values of the text in each layer of the decoder, (B, heads, L, d), and what hides padding, (B, 1, 1, L). */
    public record Memory(List<Tensor[]> layers, Tensor mask) {
        /** Each row {@code times} times: candidates share the reading of a text. */
        public Memory repeated(int times) {
            return times == 1 ? this : new Memory(layers.stream().map(kv -> new Tensor[] {
                    kv[0].repeatInterleave(times, 0), kv[1].repeatInterleave(times, 0)}).toList(), mask.repeatInterleave(times, 0));
        }
    }

    private final Config config;
    private final Stem encoderStem;
    private final List<EncoderLayer> encoder = new ArrayList<>();
    private final LayerNorm encoderNorm;
    private final Stem decoderStem;
    private final List<DecoderLayer> decoder = new ArrayList<>();
    private final LayerNorm decoderNorm;
    private final Linear head;

    public DalleBart(Weights encoder, Weights decoder, Config c) {
        config = c;
        encoderStem = new Stem(encoder, c.textVocabulary, c.textLength, c.width);
        for (int i = 0; i < c.encoderLayers; i++) {
            this.encoder.add(new EncoderLayer(encoder.sub("layers").sub("" + i), c));
        }
        encoderNorm = new LayerNorm(encoder.sub("final_ln"), c.width, EPS);
        decoderStem = new Stem(decoder, c.tableRows, c.length(), c.width);
        for (int i = 0; i < c.decoderLayers; i++) {
            this.decoder.add(new DecoderLayer(decoder.sub("layers").sub("" + i), c));
        }
        decoderNorm = new LayerNorm(decoder.sub("final_ln"), c.width, EPS);
        head = Linear.withoutBias(decoder.sub("lm_head"), c.width, c.tableRows);
    }

    /** Reads both files, each checked against the config. */
    public static DalleBart load(Weights encoder, Weights decoder, Config config) {
        return encoder.build(e -> decoder.build(d -> new DalleBart(e, d, config), name -> false), name -> false);
    }

    public Config config() {
        return config;
    }

    /** Hides padding: ids (B, L), {@code pad} among them, to (B, 1, 1, L) to add to scores. */
    public static Tensor mask(Tensor ids, int pad) {
        return ids.eq(pad).to(DType.F32).mul(HIDDEN).view(ids.size(0), 1, 1, ids.size(1));
    }

    /** Text ids (B, textLength) to states (B, textLength, D). */
    public Tensor encode(Tensor ids, Tensor mask) {
        Tensor x = encoderStem.forward(ids, 0);
        for (EncoderLayer layer : encoder) {
            x = layer.forward(x, mask.to(x));
        }
        return encoderNorm.forward(x);
    }

    /** What the decoder sees of the text: once for all codes. */
    public Memory memory(Tensor state, Tensor mask) {
        return new Memory(decoder.stream().map(layer -> layer.cross.memory(state)).toList(), mask.to(state));
    }

    /**
     * Logits (B, n, tableRows) of the codes that follow {@code codes} (B, n), which stand from {@code place} on; the first is
     * {@link Config#start}.
     */
    public Tensor decode(Tensor codes, int place, Memory memory, IntFunction<Past> past) {
        Tensor x = decoderStem.forward(codes, place);
        for (int i = 0; i < decoder.size(); i++) {
            x = decoder.get(i).forward(x, memory.layers.get(i), memory.mask, past.apply(i));
        }
        return head.forward(decoderNorm.forward(x));
    }

    /** Tokens and places, normalised. */
    private static final class Stem {
        private final Embedding tokens;
        private final Embedding places;
        private final LayerNorm norm;

        Stem(Weights w, int vocabulary, int length, int width) {
            tokens = new Embedding(w.sub("embed_tokens"), vocabulary, width, STD);
            places = new Embedding(w.sub("embed_positions"), length, width, STD);
            norm = new LayerNorm(w.sub("layernorm_embedding"), width, EPS);
        }

        Tensor forward(Tensor ids, int place) {
            return norm.forward(tokens.forward(ids).add(places.first(place + ids.size(1)).narrow(0, place, ids.size(1))));
        }
    }

    private static final class EncoderLayer {
        private final LayerNorm before;
        private final Projections self;
        private final LayerNorm after;
        private final Glu glu;

        EncoderLayer(Weights w, Config c) {
            before = new LayerNorm(w.sub("pre_self_attn_layer_norm"), c.width, EPS);
            self = new Projections(w.sub("self_attn"), c.width, c.encoderHeads);
            after = new LayerNorm(w.sub("self_attn_layer_norm"), c.width, EPS);
            glu = new Glu(w.sub("glu"), c);
        }

        Tensor forward(Tensor x, Tensor mask) {                                             // (B, L, D)
            try (var scope = new Scope()) {
                Tensor h = before.forward(x);
                x = x.add(after.forward(self.attend(h, self.memory(h), mask)));
                return scope.keep(x.add(glu.forward(x)));
            }
        }
    }

    private static final class DecoderLayer {
        private final LayerNorm beforeSelf;
        private final Projections self;
        private final LayerNorm afterSelf;
        private final LayerNorm beforeCross;
        private final Projections cross;
        private final LayerNorm afterCross;
        private final Glu glu;

        DecoderLayer(Weights w, Config c) {
            beforeSelf = new LayerNorm(w.sub("pre_self_attn_layer_norm"), c.width, EPS);
            self = new Projections(w.sub("self_attn"), c.width, c.decoderHeads);
            afterSelf = new LayerNorm(w.sub("self_attn_layer_norm"), c.width, EPS);
            beforeCross = new LayerNorm(w.sub("pre_encoder_attn_layer_norm"), c.width, EPS);
            cross = new Projections(w.sub("encoder_attn"), c.width, c.decoderHeads);
            afterCross = new LayerNorm(w.sub("encoder_attn_layer_norm"), c.width, EPS);
            glu = new Glu(w.sub("glu"), c);
        }

        Tensor forward(Tensor x, Tensor[] text, Tensor mask, Past past) {                   // (B, n, D)
            try (var scope = new Scope()) {
                x = x.add(afterSelf.forward(self.decode(beforeSelf.forward(x), past)));
                x = x.add(afterCross.forward(cross.attend(beforeCross.forward(x), text, mask)));
                return scope.keep(x.add(glu.forward(x)));
            }
        }
    }

    private static final class Projections {
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final int heads;

        Projections(Weights w, int width, int heads) {
            query = Linear.withoutBias(w.sub("q_proj"), width, width);
            key = Linear.withoutBias(w.sub("k_proj"), width, width);
            value = Linear.withoutBias(w.sub("v_proj"), width, width);
            out = Linear.withoutBias(w.sub("out_proj"), width, width);
            this.heads = heads;
        }

        Tensor decode(Tensor x, Past past) {
            return out.forward(Attention.decode(query.forward(x), key.forward(x), value.forward(x), heads, past));
        }

        /** Keys and values of {@code x} (B, L, D). */
        Tensor[] memory(Tensor x) {
            return new Tensor[] {Attention.split(key.forward(x), heads), Attention.split(value.forward(x), heads)};
        }

        Tensor attend(Tensor x, Tensor[] memory, Tensor mask) {
            Tensor q = Attention.split(query.forward(x), heads);
            return out.forward(Attention.merge(Functional.attention(q, memory[0], memory[1], mask)));
        }
    }

    private static final class Glu {
        private final LayerNorm ln0;
        private final Linear fc0;
        private final Linear fc1;
        private final LayerNorm ln1;
        private final Linear fc2;

        Glu(Weights w, Config c) {
            ln0 = new LayerNorm(w.sub("ln0"), c.width, EPS);
            fc0 = Linear.withoutBias(w.sub("fc0"), c.width, c.hidden);
            fc1 = Linear.withoutBias(w.sub("fc1"), c.width, c.hidden);
            ln1 = new LayerNorm(w.sub("ln1"), c.hidden, EPS);
            fc2 = Linear.withoutBias(w.sub("fc2"), c.hidden, c.width);
        }

        Tensor forward(Tensor x) {
            x = ln0.forward(x);
            return fc2.forward(ln1.forward(fc0.forward(x).gelu().mul(fc1.forward(x))));
        }
    }
}
