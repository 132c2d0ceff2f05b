package io.sfumato.models.unet;

import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.GroupNorm;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Transformer blocks over the places of a feature map, which attend to each other and to the text (Rombach et al. 2022, appendix E.2.1).
 * The projections around them are matrices here; SD 1.x files store them as 1x1 convolutions, which are the same numbers.
 */
final class SpatialTransformer {
    /** Of a feed-forward layer that are made at a time: 5 MiB in bfloat16. */
    private static final long NUMBERS = 5 << 19;

    private final GroupNorm norm;
    private final Linear projIn;
    private final List<Block> blocks;
    private final Linear projOut;

    SpatialTransformer(Weights w, UNetConfig c, int level, int depth, boolean onlyCross) {
        int width = c.widths()[level];
        norm = new GroupNorm(w.sub("norm"), c.groups(), width, 1e-6);
        projIn = new Linear(w.sub("proj_in"), width, width);
        blocks = IntStream.range(0, depth).mapToObj(i ->
                new Block(w.sub("transformer_blocks").sub("" + i), width, c.heads()[level], c.contextWidths()[level], onlyCross)).toList();
        projOut = new Linear(w.sub("proj_out"), width, width);
    }

    /**
     * x (B, C, H, W) with {@code context} (B, L, E).
     *
     * @param ratio share of the places that are merged for self-attention; see {@link TokenMerging}
     */
    Tensor forward(Tensor x, Tensor context, double ratio) {
        try (var scope = new Scope()) {
            long b = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
            Tensor tokens = projIn.forward(places(norm.forward(x)));                                    // (B, HW, C)
            for (Block block : blocks) {
                List<TokenMerging> merging = ratio > 0 && h > 1 && w > 1 ? TokenMerging.ofAll(tokens, h, w, ratio) : List.of();
                tokens = block.forward(tokens, context, merging);
            }
            return scope.keep(projOut.plus(tokens, places(x)).view(b, h, w, c).permute(0, 3, 1, 2));
        }
    }

    /** (B, C, H, W) to (B, HW, C). */
    private static Tensor places(Tensor x) {
        return x.permute(0, 2, 3, 1).reshape(x.size(0), x.size(2) * x.size(3), x.size(1));
    }

    private static final class Block {
        private final LayerNorm norm1;
        private final CrossAttention attn1;
        private final LayerNorm norm2;
        private final CrossAttention attn2;
        private final LayerNorm norm3;
        private final Linear gate;
        private final Linear out;
        private final boolean onlyCross;

        Block(Weights w, int width, int heads, int contextWidth, boolean onlyCross) {
            norm1 = new LayerNorm(w.sub("norm1"), width, 1e-5);
            attn1 = new CrossAttention(w.sub("attn1"), width, heads, onlyCross ? contextWidth : width);
            norm2 = new LayerNorm(w.sub("norm2"), width, 1e-5);
            attn2 = new CrossAttention(w.sub("attn2"), width, heads, contextWidth);
            norm3 = new LayerNorm(w.sub("norm3"), width, 1e-5);
            gate = new Linear(w.sub("ff").sub("net").sub("0").sub("proj"), width, 8L * width);
            out = new Linear(w.sub("ff").sub("net").sub("2"), 4L * width, width);
            this.onlyCross = onlyCross;
        }

        Tensor forward(Tensor x, Tensor context, List<TokenMerging> merging) {              // (B, N, C)
            try (var scope = new Scope()) {
                Tensor y = TokenMerging.merge(norm1.forward(x), merging);                   // (B, N or fewer, C)
                Tensor seen = TokenMerging.unmerge(attn1.attend(y, onlyCross ? context : y), merging);      // (B, N, C)
                x = attn1.out.plus(seen, x);
                x = attn2.out.plus(attn2.attend(norm2.forward(x), context), x);
                return scope.keep(feedForward(x));
            }
        }

        /** Some places at a time: what is four times as wide, and there twice, stays small. */
        private Tensor feedForward(Tensor x) {                                              // (B, N, C)
            Tensor[] parts = x.flatten(0, 1).split(Math.max(1, NUMBERS / (4 * x.size(2))), 0);      // (n, C) each
            for (int i = 0; i < parts.length; i++) {
                try (var scope = new Scope()) {
                    parts[i] = scope.keep(out.plus(gate.geglu(norm3.forward(parts[i])), parts[i]));
                }
            }
            return Tensor.cat(0, parts).view(x.shape());
        }
    }

    private static final class CrossAttention {
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final int heads;

        CrossAttention(Weights w, int width, int heads, int contextWidth) {
            query = Linear.withoutBias(w.sub("to_q"), width, width);
            key = Linear.withoutBias(w.sub("to_k"), contextWidth, width);
            value = Linear.withoutBias(w.sub("to_v"), contextWidth, width);
            out = new Linear(w.sub("to_out").sub("0"), width, width);
            this.heads = heads;
        }

        /** What {@code out} projects: x (B, N, C) and {@code context} (B, M, E) to (B, N, C). */
        Tensor attend(Tensor x, Tensor context) {
            return Attention.multiHead(query.forward(x), key.forward(context), value.forward(context), heads);
        }
    }
}
