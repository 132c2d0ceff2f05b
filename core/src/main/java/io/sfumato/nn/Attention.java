package io.sfumato.nn;

import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** Scaled dot-product attention in several heads (Vaswani et al. 2017, 3.2). */
public final class Attention {
    private Attention() {
    }

    /** q (B, N, D), k and v (B, M, D) to (B, N, D); D is divided among {@code heads}. */
    public static Tensor multiHead(Tensor q, Tensor k, Tensor v, int heads) {
        return merge(Functional.attention(split(q, heads), split(k, heads), split(v, heads), false));
    }

    /** As {@link #multiHead}, where position n sees positions 0 to n only. */
    public static Tensor causal(Tensor q, Tensor k, Tensor v, int heads) {
        return merge(Functional.attention(split(q, heads), split(k, heads), split(v, heads), true));
    }

    /** As {@link #multiHead}, with {@code mask} added to the scores, broadcast to (B, heads, N, M). */
    public static Tensor masked(Tensor q, Tensor k, Tensor v, int heads, Tensor mask) {
        return merge(Functional.attention(split(q, heads), split(k, heads), split(v, heads), mask));
    }

    /** As {@link #multiHead}, where {@code bias} is added to the scores, broadcast to (B, heads, N, M). */
    public static Tensor biased(Tensor q, Tensor k, Tensor v, int heads, Tensor bias) {
        return merge(Functional.attention(split(q, heads), split(k, heads), split(v, heads), bias));
    }

    private static Tensor split(Tensor x, int heads) {
        return x.view(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);      // (B, heads, N, d)
    }

    private static Tensor merge(Tensor x) {
        return x.transpose(1, 2).flatten(2, 3);                                             // (B, N, D)
    }
}
