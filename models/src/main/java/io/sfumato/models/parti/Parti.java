package io.sfumato.models.parti;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.CutTensors;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.KvCache;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Parti (Yu et al. 2022, 2.2 and table 1): a Transformer that reads a text and writes a picture, code by code, in rows. Encoder and
 * decoder normalise before each layer and once more at the end. Decoder layers but each fourth see only what is near in the picture:
 * convolution-shaped attention, as in DALL-E. No weights were published, so the names are this project's own.
 */
public final class Parti {
    private static final double EPS = 1e-6;
    private static final double STD = 0.02;
    private static final int PAD = 0;

    /**
     * @param vocabulary of texts; id 0 is padding
     * @param textLength text tokens, padding included
     * @param codes      of the picture tokenizer; entry {@code codes} of the table begins a picture
     * @param grid       codes of a row, and rows
     * @param near       rows above and columns on either side that the convolution-shaped layers see; 0 for dense attention everywhere
     */
    public record Config(int encoderLayers, int decoderLayers, int width, int mlp, int heads, int vocabulary, int textLength, int codes,
                         int grid, int near) {
        public Config {
            if (encoderLayers < 1 || decoderLayers < 1 || heads < 1 || width % heads != 0 || mlp < 1) {
                throw new IllegalArgumentException("width " + width + " must be a multiple of heads " + heads + "; encoder_layers "
                        + encoderLayers + ", decoder_layers " + decoderLayers + " and mlp " + mlp + " at least 1");
            }
            if (vocabulary < 2 || textLength < 1 || codes < 1 || grid < 1 || near < 0) {
                throw new IllegalArgumentException("vocabulary " + vocabulary + " must be 2 or more, text_length " + textLength + ", codes "
                        + codes + " and grid " + grid + " 1 or more, near " + near + " 0 or more");
            }
        }

        public static Config of(ConfigJson json) {
            return new Config(json.integer("encoder_layers"), json.integer("decoder_layers"), json.integer("width"), json.integer("mlp"),
                    json.integer("heads"), json.integer("vocabulary"), json.integer("text_length"), json.integer("codes"),
                    json.integer("grid"), json.integer("near", 0));
        }

        /** 350 million parameters in attention and feed-forward layers; the others of table 1 follow. */
        public static Config parti350M() {
            return published(12, 12, 1024, 16);
        }

        /** 750 million. */
        public static Config parti750M() {
            return published(12, 36, 1024, 16);
        }

        /** 3 billion. */
        public static Config parti3B() {
            return published(12, 36, 2048, 32);
        }

        /** 20 billion. */
        public static Config parti20B() {
            return published(16, 64, 4096, 64);
        }

        private static Config published(int encoder, int decoder, int width, int heads) {
            return new Config(encoder, decoder, width, 4 * width, heads, 16_000, 128, 8192, 32, 5);
        }

        /** Codes of a picture. */
        public int length() {
            return grid * grid;
        }

        /** What the decoder reads before the first code. */
        public int start() {
            return codes;
        }

        private boolean isDense(int layer) {
            return near == 0 || layer % 4 == 3;
        }
    }

    /** Keys and values of the text in each decoder layer, (B, heads, L, d), and what hides padding, (B, 1, 1, L). */
    public record Memory(List<Tensor[]> layers, Tensor mask) {
        /** Each row {@code times} times: candidates share the reading of a text. */
        public Memory repeated(int times) {
            return times == 1 ? this : new Memory(layers.stream().map(kv -> new Tensor[] {
                    kv[0].repeatInterleave(times, 0), kv[1].repeatInterleave(times, 0)}).toList(), mask.repeatInterleave(times, 0));
        }
    }

    private final Config config;
    private final ProcessGroup group;
    private final Embedding textTokens;
    private final Embedding textPlaces;
    private final Tensor nothing;
    private final List<EncoderLayer> encoder = new ArrayList<>();
    private final LayerNorm encoderNorm;
    private final Embedding imageTokens;
    private final Embedding rows;
    private final Embedding columns;
    private final List<DecoderLayer> decoder = new ArrayList<>();
    private final LayerNorm decoderNorm;
    private final Linear head;

    public Parti(Weights w, Config c) {
        this(w, c, ProcessGroup.alone());
    }

    /**
     * One of several processes that draw together: each has some heads and some hidden units of every layer, and what comes out of them is
     * added (Shoeybi et al. 2019, 3). All call the same methods with the same tensors, and get the same. For drawing: gradients are not
     * added up.
     *
     * @param w this process's share, of a {@link io.sfumato.io.CutTensors} by {@link #cut}
     * @throws IllegalArgumentException for heads or hidden units that cannot be shared evenly
     */
    public Parti(Weights w, Config c, ProcessGroup group) {
        if (c.heads % group.size() != 0 || c.mlp % group.size() != 0) {
            throw new IllegalArgumentException("heads " + c.heads + " and mlp " + c.mlp + " must be multiples of the " + group.size()
                    + " processes that share them");
        }
        config = c;
        this.group = group;
        Weights e = w.sub("encoder"), d = w.sub("decoder");
        textTokens = new Embedding(e.sub("tokens"), c.vocabulary, c.width, STD);
        textPlaces = new Embedding(e.sub("places"), c.textLength, c.width, STD);
        nothing = e.get("nothing", Weights.Init.normal(STD), c.width);
        for (int i = 0; i < c.encoderLayers; i++) {
            encoder.add(new EncoderLayer(e.sub("layers").sub("" + i), c, group));
        }
        encoderNorm = new LayerNorm(e.sub("norm"), c.width, EPS);
        imageTokens = new Embedding(d.sub("tokens"), c.codes + 1L, c.width, STD);
        rows = new Embedding(d.sub("rows"), c.grid, c.width, STD);
        columns = new Embedding(d.sub("columns"), c.grid, c.width, STD);
        for (int i = 0; i < c.decoderLayers; i++) {
            decoder.add(new DecoderLayer(d.sub("layers").sub("" + i), c, group));
        }
        decoderNorm = new LayerNorm(d.sub("norm"), c.width, EPS);
        head = new Linear(d.sub("head"), c.width, c.codes);
    }

    public Config config() {
        return config;
    }

    /** How processes share the tensor {@code name}: heads and hidden units are dealt out, all else is everyone's. */
    public static CutTensors.Cut cut(String name) {
        if (name.matches(".*\\.(query|key|value|up)\\.(weight|bias)")) {
            return CutTensors.Cut.ROWS;
        }
        if (name.matches(".*\\.(out|down)\\.weight")) {
            return CutTensors.Cut.COLUMNS;
        }
        return name.endsWith(".down.bias") ? CutTensors.Cut.FIRST : CutTensors.Cut.WHOLE;
    }

    /** For the keys and values of the pictures of {@code rows} texts. */
    public KvCache cache(long rows, Memory memory) {
        return new KvCache(config.decoderLayers, rows, config.heads / group.size(), config.width / config.heads, config.length(),
                memory.mask);
    }

    /** Texts (B, L) of ids, padded with 0, to states (B, L, D). A learned vector stands for a text of padding alone, the empty one. */
    public Tensor encode(Tensor ids) {
        long length = ids.size(1);
        Tensor empty = ids.eq(PAD).to(DType.I64).sum(true, 1).eq(length).unsqueeze(2);                   // (B, 1, 1)
        Tensor x = empty.where(nothing, textTokens.forward(ids)).add(textPlaces.first(length));
        Tensor mask = mask(ids).to(x);
        for (EncoderLayer layer : encoder) {
            x = layer.forward(x, mask);
        }
        return encoderNorm.forward(x);
    }

    /** Hides padding but for the first token, which an empty text is seen by: (B, 1, 1, L). */
    private static Tensor mask(Tensor ids) {
        Tensor hidden = ids.eq(PAD).to(DType.F32).mul(-1e9);
        return Tensor.cat(1, hidden.narrow(1, 0, 1).mul(0), hidden.narrow(1, 1, ids.size(1) - 1)).view(ids.size(0), 1, 1, ids.size(1));
    }

    /** What the decoder sees of a text: once for all codes. */
    public Memory memory(Tensor ids) {
        Tensor state = encode(ids);
        return new Memory(decoder.stream().map(layer -> layer.cross.memory(state)).toList(), mask(ids).to(state));
    }

    /**
     * Logits (B, n, codes) of what follows {@code codes} (B, n), which stand from {@code place} on; the first is {@link Config#start}.
     */
    public Tensor decode(Tensor codes, int place, Memory memory, IntFunction<Past> past) {
        int n = (int) codes.size(1);
        Tensor x = imageTokens.forward(codes).add(places(place, n));
        Tensor near = near(place, n).to(x), dense = dense(place, n).to(x);
        for (int i = 0; i < decoder.size(); i++) {
            x = decoder.get(i).forward(x, config.isDense(i) ? dense : near, memory.layers.get(i), memory.mask, past.apply(i));
        }
        return head.forward(decoderNorm.forward(x));
    }

    /** Row and column of the codes that are written after reading places {@code place} to {@code place + n - 1}: (n, D). */
    private Tensor places(int place, int n) {
        long[] row = new long[n], column = new long[n];
        for (int i = 0; i < n; i++) {
            row[i] = (place + i) / config.grid;
            column[i] = (place + i) % config.grid;
        }
        return rows.forward(Tensor.of(row, n)).add(columns.forward(Tensor.of(column, n)));
    }

    private Tensor dense(int place, int n) {
        return mask(place, n, Integer.MAX_VALUE);
    }

    private Tensor near(int place, int n) {
        return mask(place, n, config.near);
    }

    /** (n, place + n): 0 where a place, of {@code n} from {@code place} on, sees one before it within {@code reach} rows and columns. */
    private Tensor mask(int place, int n, int reach) {
        int m = place + n;
        float[] mask = new float[n * m];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < m; j++) {
                int at = place + i;
                boolean seen = j <= at && at / config.grid - j / config.grid <= reach
                        && Math.abs(at % config.grid - j % config.grid) <= reach;
                mask[i * m + j] = seen ? 0 : Float.NEGATIVE_INFINITY;
            }
        }
        return Tensor.of(mask, n, m);
    }

    private static final class EncoderLayer {
        private final LayerNorm norm1;
        private final Projections self;
        private final LayerNorm norm2;
        private final Linear up;
        private final Linear down;
        private final ProcessGroup group;

        EncoderLayer(Weights w, Config c, ProcessGroup group) {
            this.group = group;
            norm1 = new LayerNorm(w.sub("norm1"), c.width, EPS);
            self = new Projections(w.sub("self"), c, group);
            norm2 = new LayerNorm(w.sub("norm2"), c.width, EPS);
            up = new Linear(w.sub("up"), c.width, c.mlp / group.size());
            down = new Linear(w.sub("down"), c.mlp / group.size(), c.width);
        }

        Tensor forward(Tensor x, Tensor mask) {                                             // (B, L, D)
            try (var scope = new Scope()) {
                Tensor h = norm1.forward(x);
                x = x.add(self.attend(h, self.memory(h), mask));
                return scope.keep(x.add(group.allReduce(down.forward(up.forward(norm2.forward(x)).relu()))));
            }
        }
    }

    private static final class DecoderLayer {
        private final LayerNorm norm1;
        private final Projections self;
        private final LayerNorm norm2;
        private final Projections cross;
        private final LayerNorm norm3;
        private final Linear up;
        private final Linear down;
        private final ProcessGroup group;

        DecoderLayer(Weights w, Config c, ProcessGroup group) {
            this.group = group;
            norm1 = new LayerNorm(w.sub("norm1"), c.width, EPS);
            self = new Projections(w.sub("self"), c, group);
            norm2 = new LayerNorm(w.sub("norm2"), c.width, EPS);
            cross = new Projections(w.sub("cross"), c, group);
            norm3 = new LayerNorm(w.sub("norm3"), c.width, EPS);
            up = new Linear(w.sub("up"), c.width, c.mlp / group.size());
            down = new Linear(w.sub("down"), c.mlp / group.size(), c.width);
        }

        Tensor forward(Tensor x, Tensor causal, Tensor[] text, Tensor padding, Past past) { // (B, n, D)
            try (var scope = new Scope()) {
                Tensor h = norm1.forward(x);
                Tensor[] kv = self.memory(h);
                x = x.add(self.attend(h, past.append(kv[0], kv[1]), causal));
                x = x.add(cross.attend(norm2.forward(x), text, padding));
                return scope.keep(x.add(group.allReduce(down.forward(up.forward(norm3.forward(x)).relu()))));
            }
        }
    }

    private static final class Projections {
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final int heads;
        private final ProcessGroup group;

        Projections(Weights w, Config c, ProcessGroup group) {
            int part = c.width / group.size();
            query = Linear.withoutBias(w.sub("query"), c.width, part);
            key = Linear.withoutBias(w.sub("key"), c.width, part);
            value = Linear.withoutBias(w.sub("value"), c.width, part);
            out = Linear.withoutBias(w.sub("out"), part, c.width);
            heads = c.heads / group.size();
            this.group = group;
        }

        /** Keys and values of {@code x} (B, n, D). */
        Tensor[] memory(Tensor x) {
            return new Tensor[] {Attention.split(key.forward(x), heads), Attention.split(value.forward(x), heads)};
        }

        Tensor attend(Tensor x, Tensor[] memory, Tensor mask) {
            Tensor q = Attention.split(query.forward(x), heads);
            return group.allReduce(out.forward(Attention.merge(Functional.attention(q, memory[0], memory[1], mask))));
        }
    }
}
