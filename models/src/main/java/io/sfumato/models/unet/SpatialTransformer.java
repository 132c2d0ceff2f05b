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
            Tensor tokens = projIn.forward(norm.forward(x).permute(0, 2, 3, 1).reshape(b, h * w, c));   // (B, HW, C)
            for (Block block : blocks) {
                List<TokenMerging> merging = ratio > 0 && h > 1 && w > 1 ? TokenMerging.ofAll(tokens, h, w, ratio) : List.of();
                tokens = block.forward(tokens, context, merging);
            }
            return scope.keep(x.add(projOut.forward(tokens).view(b, h, w, c).permute(0, 3, 1, 2)));
        }
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
                x = TokenMerging.unmerge(attn1.forward(y, onlyCross ? context : y), merging).add_(x);
                x = attn2.forward(norm2.forward(x), context).add_(x);
                x = feedForward(norm3.forward(x)).add_(x);
                return scope.keep(x);
            }
        }

        /** GEGLU (Shazeer 2020). */
        private Tensor feedForward(Tensor x) {
            Tensor[] h = gate.forward(x).chunk(2, -1);                                      // 2 x (B, N, 4C)
            return out.forward(h[1].gelu().mul_(h[0]));
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

        Tensor forward(Tensor x, Tensor context) {                                          // x (B, N, C), context (B, M, E)
            return out.forward(Attention.multiHead(query.forward(x), key.forward(context), value.forward(context), heads));
        }
    }
}
