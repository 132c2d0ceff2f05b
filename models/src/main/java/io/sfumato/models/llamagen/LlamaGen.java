package io.sfumato.models.llamagen;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.Linear;
import io.sfumato.nn.Past;
import io.sfumato.nn.RmsNorm;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * LlamaGen's GPT (Sun et al. 2024, 2.2): a Llama that writes the codes of a picture row by row behind a class or a caption. Positions
 * are rotations by row and column. Checkpoint names are LlamaGen's.
 */
public final class LlamaGen {
    private static final double STD = 0.02;

    /** What stands before the codes. */
    public sealed interface Condition permits Classes, Captions {
        /** Places before the first code. */
        int slots();
    }

    /** One of {@code count} classes; entry {@code count} means none. */
    public record Classes(int count) implements Condition {
        @Override
        public int slots() {
            return 1;
        }
    }

    /** States of a text encoder, {@code width} each. */
    public record Captions(int width, int slots) implements Condition {
    }

    /**
     * @param kvHeads heads of keys and values, which groups of query heads share
     * @param hidden  width of the feed-forward layer
     * @param grid    codes of a row, and rows
     */
    public record Config(int width, int layers, int heads, int kvHeads, int hidden, int codes, int grid, Condition condition,
                         double ropeBase, double eps) {
        public Config {
            if (layers < 1 || codes < 1 || grid < 1 || heads < 1 || width % heads != 0 || width / heads % 4 != 0) {
                throw new IllegalArgumentException("dim " + width + " must be a multiple of four times n_head " + heads
                        + ", and n_layer " + layers + ", vocab_size " + codes + " and the grid " + grid + " at least 1");
            }
            if (kvHeads < 1 || heads % kvHeads != 0) {
                throw new IllegalArgumentException("n_kv_head " + kvHeads + " does not divide n_head " + heads);
            }
        }

        /** Reads LlamaGen's model arguments. */
        public static Config of(ConfigJson json) {
            int width = json.integer("dim", 4096), heads = json.integer("n_head", 32), block = json.integer("block_size", 256);
            int grid = (int) Math.round(Math.sqrt(block));
            if (grid * grid != block) {
                throw json.wrong("block_size", block, "the square of a row of codes");
            }
            int hidden = (int) (2 * 4L * width / 3);
            if (json.has("ffn_dim_multiplier")) {
                hidden = (int) (json.number("ffn_dim_multiplier", 1) * hidden);
            }
            int multiple = json.integer("multiple_of", 256), slots = json.integer("cls_token_num", 1);
            String type = json.text("model_type", "c2i");
            if (!type.equals("c2i") && !type.equals("t2i")) {
                throw json.wrong("model_type", type, "c2i or t2i");
            }
            return new Config(width, json.integer("n_layer", 32), heads, json.integer("n_kv_head", heads),
                    (hidden + multiple - 1) / multiple * multiple, json.integer("vocab_size", 16384), grid,
                    type.equals("c2i") ? new Classes(json.integer("num_classes", 1000))
                            : new Captions(json.integer("caption_dim", 2048), slots),
                    json.number("rope_base", 10000), json.number("norm_eps", 1e-5));
        }

        /** Sizes from the tensors of a published file, which has no config: heads are 64 wide, those of the 3B model 100. */
        public static Config of(TensorSource file, int grid) {
            int width = size(file, "tok_embeddings.weight", 1), head = width == 3200 ? 100 : 64;
            if (width % head != 0) {
                throw new CheckpointException(file.description() + ": the number of heads does not stand in the file: a config.json"
                        + " with n_head is wanted beside it");
            }
            int layers = (int) IntStream.iterate(0, i -> i + 1)
                    .takeWhile(i -> file.names().contains("layers." + i + ".attention_norm.weight")).count();
            String text = "cls_embedding.uncond_embedding";
            Condition condition = file.names().contains(text) ? new Captions(size(file, text, 1), size(file, text, 0))
                    : new Classes(size(file, "cls_embedding.embedding_table.weight", 0) - 1);
            int kv = (size(file, "layers.0.attention.wqkv.weight", 0) - width) / 2 / head;
            return new Config(width, layers, width / head, kv, size(file, "layers.0.feed_forward.w1.weight", 0),
                    size(file, "output.weight", 0), grid, condition, 10000, 1e-5);
        }

        private static int size(TensorSource file, String name, int dim) {
            if (!file.names().contains(name) || file.shape(name).length != 2) {
                throw new CheckpointException(file.description() + ": no GPT of LlamaGen: there is no matrix " + name);
            }
            return Math.toIntExact(file.shape(name)[dim]);
        }

        public int headWidth() {
            return width / heads;
        }

        /** Codes of a picture. */
        public int length() {
            return grid * grid;
        }
    }

    private final Config config;
    private final Embedding tokens;
    private final Conditioner conditioner;
    private final List<Block> blocks = new ArrayList<>();
    private final RmsNorm norm;
    private final Linear output;

    public LlamaGen(Weights w, Config config) {
        this.config = config;
        Weights cls = w.sub("cls_embedding");
        tokens = new Embedding(w.sub("tok_embeddings"), config.codes, config.width, STD);
        // Java 17 has no pattern switch: the two kinds of conditions differ in their layers.
        conditioner = config.condition instanceof Captions c ? new CaptionConditioner(cls, c, config.width)
                : new ClassConditioner(cls, (Classes) config.condition, config.width);
        for (int i = 0; i < config.layers; i++) {
            blocks.add(new Block(w.sub("layers").sub("" + i), config));
        }
        norm = new RmsNorm(w.sub("norm"), config.width, config.eps);
        output = Linear.withoutBias(w.sub("output"), config.width, config.codes);
    }

    public Config config() {
        return config;
    }

    /** Class ids (B) of int64, or text states (B, slots, width), to what stands before the codes: (B, slots, D). */
    public Tensor condition(Tensor given) {
        return conditioner.forward(given);
    }

    /** What stands there when nothing is asked for: (B, slots, D). */
    public Tensor emptyCondition(long rows) {
        return conditioner.empty(rows);
    }

    /** Codes (B, n) to (B, n, D). */
    public Tensor embed(Tensor codes) {
        return tokens.forward(codes);
    }

    /**
     * Reads conditions and codes.
     *
     * @param x     embedded, (B, n, D)
     * @param start place of the first: 0 for conditions
     * @param mask  (B, 1, n, start + n) to add to scores
     * @param past  what each layer has seen before
     * @return (B, n, D), for {@link #logits}
     */
    public Tensor forward(Tensor x, int start, Tensor mask, IntFunction<Past> past) {
        int n = (int) x.size(1);
        Tensor[] rotation = rotation(start, n);
        for (int i = 0; i < blocks.size(); i++) {
            x = blocks.get(i).forward(x, rotation, mask, past.apply(i));
        }
        return norm.forward(x);
    }

    /** Logits (..., codes) of the code that follows each place. */
    public Tensor logits(Tensor x) {
        return output.forward(x);
    }

    /**
     * The mask of {@link #forward}: nothing sees what comes later, or a condition slot that is hidden; but everything sees itself.
     *
     * @param visible whether each slot is seen, (B, slots) of 1 and 0
     */
    public static Tensor mask(Tensor visible, int start, int n) {
        int b = (int) visible.size(0), slots = (int) visible.size(1), m = start + n;
        float[] seen = visible.toFloats(), mask = new float[b * n * m];
        for (int i = 0; i < mask.length; i++) {
            int column = i % m, row = start + i / m % n, picture = i / m / n;
            boolean hidden = column > row || column < slots && seen[picture * slots + column] == 0;
            mask[i] = hidden && column != row ? Float.NEGATIVE_INFINITY : 0;
        }
        return Tensor.of(mask, b, 1, n, m);
    }

    /**
     * Cosines and sines (n, d/2) from place {@code start}: the first half of the pairs turns with the row of a code, the second with
     * its column. Those of condition slots are zero, as they were trained: queries and keys vanish there.
     */
    private Tensor[] rotation(int start, int n) {
        int slots = config.condition.slots(), half = config.headWidth() / 2, quarter = half / 2;
        float[] cos = new float[n * half], sin = new float[n * half];
        for (int i = 0; i < n * half; i++) {
            int code = start + i / half - slots, pair = i % half;
            if (code >= 0) {
                // Float32 step by step, as the reference computes its table.
                float frequency = 1 / (float) Math.pow(config.ropeBase, (float) (2 * (pair % quarter)) / half);
                float angle = (pair < quarter ? code / config.grid : code % config.grid) * frequency;
                cos[i] = (float) Math.cos(angle);
                sin[i] = (float) Math.sin(angle);
            }
        }
        return new Tensor[] {Tensor.of(cos, n, half), Tensor.of(sin, n, half)};
    }

    private interface Conditioner {
        Tensor forward(Tensor given);

        Tensor empty(long rows);
    }

    private static final class ClassConditioner implements Conditioner {
        private final Embedding table;
        private final int none;

        ClassConditioner(Weights w, Classes c, int width) {
            table = new Embedding(w.sub("embedding_table"), c.count + 1L, width, STD);
            none = c.count;
        }

        @Override
        public Tensor forward(Tensor labels) {
            return table.forward(labels).unsqueeze(1);                                      // (B, 1, D)
        }

        @Override
        public Tensor empty(long rows) {
            return table.forward(Tensor.of(none)).unsqueeze(1).expand(rows, -1, -1);
        }
    }

    private static final class CaptionConditioner implements Conditioner {
        private final Tensor uncond;
        private final Linear fc1;
        private final Linear fc2;

        CaptionConditioner(Weights w, Captions c, int width) {
            uncond = w.get("uncond_embedding", Weights.Init.normal(1 / Math.sqrt(c.width)), c.slots, c.width);
            fc1 = Linear.withoutBias(w.sub("cap_proj").sub("fc1"), c.width, width);
            fc2 = Linear.withoutBias(w.sub("cap_proj").sub("fc2"), width, width);
        }

        @Override
        public Tensor forward(Tensor features) {                                            // (B, slots, C)
            return fc2.forward(fc1.forward(features).geluTanh());                           // (B, slots, D)
        }

        @Override
        public Tensor empty(long rows) {
            return forward(uncond.unsqueeze(0)).expand(rows, -1, -1);
        }
    }

    private static final class Block {
        private final RmsNorm attentionNorm;
        private final Linear wqkv;
        private final Linear wo;
        private final RmsNorm ffnNorm;
        private final Linear w1;
        private final Linear w3;
        private final Linear w2;
        private final Config config;

        Block(Weights w, Config c) {
            Weights attention = w.sub("attention"), ffn = w.sub("feed_forward");
            attentionNorm = new RmsNorm(w.sub("attention_norm"), c.width, c.eps);
            wqkv = Linear.withoutBias(attention.sub("wqkv"), c.width, c.width + 2L * c.kvHeads * c.headWidth());
            wo = Linear.withoutBias(attention.sub("wo"), c.width, c.width);
            ffnNorm = new RmsNorm(w.sub("ffn_norm"), c.width, c.eps);
            w1 = Linear.withoutBias(ffn.sub("w1"), c.width, c.hidden);
            w3 = Linear.withoutBias(ffn.sub("w3"), c.width, c.hidden);
            w2 = Linear.withoutBias(ffn.sub("w2"), c.hidden, c.width);
            config = c;
        }

        Tensor forward(Tensor x, Tensor[] rotation, Tensor mask, Past past) {               // (B, n, D)
            try (var scope = new Scope()) {
                x = x.add(wo.forward(attend(attentionNorm.forward(x), rotation, mask, past)));
                Tensor h = ffnNorm.forward(x);
                return scope.keep(x.add(w2.forward(w1.forward(h).silu().mul(w3.forward(h)))));
            }
        }

        private Tensor attend(Tensor x, Tensor[] rotation, Tensor mask, Past past) {
            int kv = config.kvHeads * config.headWidth();
            Tensor qkv = wqkv.forward(x);
            Tensor q = Attention.split(qkv.narrow(2, 0, config.width), config.heads);       // (B, heads, n, d)
            Tensor k = Attention.split(qkv.narrow(2, config.width, kv), config.kvHeads);
            Tensor v = Attention.split(qkv.narrow(2, config.width + kv, kv), config.kvHeads);
            Tensor[] all = past.append(rotate(k, rotation), v);
            int shared = config.heads / config.kvHeads;
            Tensor keys = shared == 1 ? all[0] : all[0].repeatInterleave(shared, 1);
            Tensor values = shared == 1 ? all[1] : all[1].repeatInterleave(shared, 1);
            return Attention.merge(Functional.attention(rotate(q, rotation), keys, values, mask.to(q)));
        }

        /** Turns each pair (2i, 2i+1). */
        private static Tensor rotate(Tensor x, Tensor[] rotation) {                         // (B, heads, n, d)
            Tensor pairs = x.reshape(x.size(0), x.size(1), x.size(2), x.size(3) / 2, 2);  // (B, heads, n, d/2, 2)
            Tensor a = pairs.select(-1, 0), b = pairs.select(-1, 1), cos = rotation[0].to(x), sin = rotation[1].to(x);
            return Tensor.stack(-1, a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))).flatten(3, 4);
        }
    }
}
