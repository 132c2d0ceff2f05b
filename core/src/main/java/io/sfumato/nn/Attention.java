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

    /** Causal self-attention of tokens (B, n, D) that follow those in {@code past}; more than one at a time only where nothing is past. */
    public static Tensor decode(Tensor q, Tensor k, Tensor v, int heads, Past past) {
        if (q.size(1) > 1 && past.length() > 0) {
            throw new IllegalArgumentException(q.size(1) + " tokens at once after " + past.length() + ": one is wanted");
        }
        Tensor[] all = past.append(split(k, heads), split(v, heads));
        return merge(Functional.attention(split(q, heads), all[0], all[1], q.size(1) > 1));
    }

    /** (B, N, D) to (B, heads, N, D/heads). */
    public static Tensor split(Tensor x, int heads) {
        return x.view(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);      // (B, heads, N, d)
    }

    /** (B, heads, N, d) to (B, N, heads*d). */
    public static Tensor merge(Tensor x) {
        return x.transpose(1, 2).flatten(2, 3);                                             // (B, N, D)
    }
}
