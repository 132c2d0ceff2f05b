package io.sfumato.models.dalle;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.Past;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * DALL-E's Transformer (Ramesh et al. 2021, 2.2 and appendix B.1): one stream of text tokens, then codes of a picture. Codes see all of the
 * text and, by layer, what stands before them in the row, in the column, or around them. Each place of the text has padding of its own.
 * The weights were never published, so the names are this project's own.
 */
public final class Dalle {
    private static final double EPS = 1e-5;
    private static final double STD = 0.02;

    /** What a code sees of the picture, besides itself. */
    public enum Kind {
        /** The codes before it, back to the one above it. */
        ROW,
        /** The codes above it in its column, and those of the column before it from its own row down, as the transposed picture's rows. */
        COLUMN,
        /** The codes before it in a square window around it. */
        CONVOLUTION
    }

    /**
     * @param vocabulary of texts; id 0 is padding
     * @param textLength text tokens, padding included
     * @param codes      of the picture tokenizer
     * @param grid       codes of a row, and rows
     * @param window     side of the square that the last layer sees, odd
     */
    public record Config(int layers, int width, int heads, int vocabulary, int textLength, int codes, int grid, int window) {
        public Config {
            if (layers < 1 || heads < 1 || width % heads != 0) {
                throw new IllegalArgumentException("width " + width + " must be a multiple of heads " + heads + ", and layers " + layers
                        + " at least 1");
            }
            if (vocabulary < 2 || textLength < 1 || codes < 1 || grid < 1 || window < 1 || window % 2 == 0) {
                throw new IllegalArgumentException("vocabulary " + vocabulary + " must be 2 or more, text_length " + textLength + ", codes "
                        + codes + " and grid " + grid + " 1 or more, window " + window + " odd");
            }
        }

        public static Config of(ConfigJson json) {
            return new Config(json.integer("layers"), json.integer("width"), json.integer("heads"), json.integer("vocabulary"),
                    json.integer("text_length"), json.integer("codes"), json.integer("grid"), json.integer("window", 11));
        }

        /** The 12 billion parameters of the paper. */
        public static Config published() {
            return new Config(64, 3968, 62, 16_384, 256, 8192, 32, 11);
        }

        /** Codes of a picture. */
        public int length() {
            return grid * grid;
        }

        /** Row, column, row, row again and again; the last layer is convolution-shaped. */
        public Kind kind(int layer) {
            return layer == layers - 1 ? Kind.CONVOLUTION : (layer - 1) % 4 == 0 ? Kind.COLUMN : Kind.ROW;
        }
    }

    private final Config config;
    private final Embedding textTokens;
    private final Embedding padding;
    private final Embedding textPlaces;
    private final Embedding imageTokens;
    private final Embedding rows;
    private final Embedding columns;
    private final List<Block> blocks = new ArrayList<>();
    private final LayerNorm norm;
    private final Linear textHead;
    private final Linear imageHead;

    public Dalle(Weights w, Config c) {
        config = c;
        textTokens = new Embedding(w.sub("text.tokens"), c.vocabulary, c.width, STD);
        padding = new Embedding(w.sub("text.padding"), c.textLength, c.width, STD);
        textPlaces = new Embedding(w.sub("text.places"), c.textLength, c.width, STD);
        imageTokens = new Embedding(w.sub("image.tokens"), c.codes, c.width, STD);
        rows = new Embedding(w.sub("image.rows"), c.grid, c.width, STD);
        columns = new Embedding(w.sub("image.columns"), c.grid, c.width, STD);
        for (int i = 0; i < c.layers; i++) {
            blocks.add(new Block(w.sub("blocks").sub("" + i), c));
        }
        norm = new LayerNorm(w.sub("norm"), c.width, EPS);
        textHead = Linear.withoutBias(w.sub("text.head"), c.width, c.vocabulary);
        imageHead = Linear.withoutBias(w.sub("image.head"), c.width, c.codes);
    }

    public Config config() {
        return config;
    }

    /** Text ids (B, textLength), padded with 0, to (B, textLength, D). */
    public Tensor text(Tensor ids) {
        long n = ids.size(1);
        return ids.eq(0).unsqueeze(2).where(padding.first(n), textTokens.forward(ids)).add(textPlaces.first(n));
    }

    /** Codes (B, n), the first at {@code place} of the picture, to (B, n, D). */
    public Tensor image(Tensor codes, int place) {
        int n = (int) codes.size(1);
        long[] row = new long[n], column = new long[n];
        for (int i = 0; i < n; i++) {
            row[i] = (place + i) / config.grid;
            column[i] = (place + i) % config.grid;
        }
        return imageTokens.forward(codes).add(rows.forward(Tensor.of(row, n))).add(columns.forward(Tensor.of(column, n)));
    }

    /** Embedded tokens (B, n, D) at places {@code start} of the whole stream and on, to states (B, n, D), for the two heads. */
    public Tensor forward(Tensor x, int start, IntFunction<Past> past) {
        int n = (int) x.size(1);
        Tensor[] masks = new Tensor[Kind.values().length];
        for (Kind kind : Kind.values()) {
            masks[kind.ordinal()] = mask(config, kind, start, n).to(x);
        }
        for (int i = 0; i < blocks.size(); i++) {
            x = blocks.get(i).forward(x, masks[config.kind(i).ordinal()], past.apply(i));
        }
        return norm.forward(x);
    }

    /** Logits (..., codes) of the code that follows. */
    public Tensor imageLogits(Tensor x) {
        return imageHead.forward(x);
    }

    /** Logits (..., vocabulary) of the text token that follows. */
    public Tensor textLogits(Tensor x) {
        return textHead.forward(x);
    }

    /** The loss of training: text and picture predicted from what stands before, a seventh as much weight on the text (2.2). */
    public Tensor loss(Tensor ids, Tensor codes) {
        Tensor x = Tensor.cat(1, text(ids), image(codes, 0));
        long text = ids.size(1), n = codes.size(1);
        Tensor states = forward(x, 0, i -> Past.NONE);
        Tensor textLoss = Functional.crossEntropy(textLogits(states.narrow(1, 0, text - 1)).flatten(0, 1),
                ids.narrow(1, 1, text - 1).flatten(0, 1));
        Tensor imageLoss = Functional.crossEntropy(imageLogits(states.narrow(1, text - 1, n)).flatten(0, 1), codes.flatten(0, 1));
        return textLoss.add(imageLoss.mul(7)).div(8);
    }

    /** 0 where a token is seen, minus infinity elsewhere: rows are places from {@code start} on, columns all up to the last of them. */
    static Tensor mask(Config c, Kind kind, int start, int n) {
        int m = start + n;
        float[] mask = new float[n * m];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = sees(c, kind, start + i / m, i % m) ? 0 : Float.NEGATIVE_INFINITY;
        }
        return Tensor.of(mask, n, m);
    }

    private static boolean sees(Config c, Kind kind, int at, int other) {
        int i = at - c.textLength, j = other - c.textLength;
        if (other > at || i < 0 || j < 0) {
            return other <= at;
        }
        int row = i / c.grid, column = i % c.grid, otherRow = j / c.grid, otherColumn = j % c.grid;
        return switch (kind) {
            case ROW -> i - j <= c.grid;
            case COLUMN -> {
                int before = column * c.grid + row - (otherColumn * c.grid + otherRow);
                yield before >= 0 && before <= c.grid;
            }
            case CONVOLUTION -> row - otherRow <= c.window / 2 && Math.abs(column - otherColumn) <= c.window / 2;
        };
    }

    private static final class Block {
        private final LayerNorm norm1;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final LayerNorm norm2;
        private final Linear up;
        private final Linear down;
        private final int heads;

        Block(Weights w, Config c) {
            norm1 = new LayerNorm(w.sub("norm1"), c.width, EPS);
            query = new Linear(w.sub("query"), c.width, c.width);
            key = Linear.withoutBias(w.sub("key"), c.width, c.width);
            value = new Linear(w.sub("value"), c.width, c.width);
            out = new Linear(w.sub("out"), c.width, c.width);
            norm2 = new LayerNorm(w.sub("norm2"), c.width, EPS);
            up = new Linear(w.sub("up"), c.width, 4L * c.width);
            down = new Linear(w.sub("down"), 4L * c.width, c.width);
            heads = c.heads;
        }

        Tensor forward(Tensor x, Tensor mask, Past past) {                                  // (B, n, D)
            try (var scope = new Scope()) {
                Tensor h = norm1.forward(x);
                Tensor[] all = past.append(Attention.split(key.forward(h), heads), Attention.split(value.forward(h), heads));
                Tensor q = Attention.split(query.forward(h), heads);
                x = out.plus(Attention.merge(Functional.attention(q, all[0], all[1], mask)), x);
                return scope.keep(down.plus(up.forward(norm2.forward(x)).gelu(), x));
            }
        }
    }
}
