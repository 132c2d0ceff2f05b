package io.sfumato.tensor;

import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/**
 * Attention in bfloat16 as matrix products of oneDNN, some rows of scores at a time. The engine's own kernel, which holds no scores, is the
 * fastest in float32; without products of bfloat16 it is many times slower than this.
 */
final class BlockedAttention {
    /** Numbers of scores at a time: they and their softmax stay in the caches, and a product is large enough for several threads. */
    private static final long SCORES = 1 << 22;
    private static final long ROWS = 1024;
    /** Multiplications for the scores below which the engine's own kernel is faster, conversions to float32 included. */
    private static final long FEW = 1 << 20;

    private BlockedAttention() {
    }

    /** For inference in bfloat16 on a CPU, where oneDNN has products of it. */
    static boolean isWorthIt(Tensor q, Tensor k) {
        return !GradMode.is_enabled() && Engine.hasOneDnn(q.dtype()) && q.numel() * k.size(2) >= FEW;
    }

    /** softmax(q k^T / sqrt(d) + mask) v of q (B, H, N, d), k and v (B, H, M, d) and {@code mask} (B, H, N, M), or null for none. */
    static Tensor of(Tensor q, Tensor k, Tensor v, Tensor mask) {
        long all = q.size(0) * q.size(1), queries = q.size(2), keys = k.size(2);
        try (var scope = new Scope()) {
            Tensor allQ = dense(q), allK = dense(k), allV = dense(v);                                   // (B*H, N, d), (B*H, M, d)
            Tensor allMask = mask == null ? null : mask.flatten(0, 1);                                  // (B*H, N, M)
            Tensor out = Tensor.zeros(q.dtype(), all, queries, v.size(3));
            long rows = Math.min(queries, ROWS), heads = Math.min(all, Math.max(1, SCORES / (rows * keys)));
            for (long h = 0; h < all; h += heads) {
                long n = Math.min(heads, all - h);
                for (long i = 0; i < queries; i += rows) {
                    long m = Math.min(rows, queries - i);
                    try (var part = new Scope()) {
                        Tensor added = mask == null ? null : block(allMask, h, n, i, m);
                        Tensor scores = scores(block(allQ, h, n, i, m), allK.narrow(0, h, n), added);
                        torch.softmax_out(scores.raw(), scores.raw(), -1);    // row by row, so they may be where the scores are
                        block(out, h, n, i, m).copy_(scores.matmul(allV.narrow(0, h, n)));
                    }
                }
            }
            return scope.keep(out.view(q.size(0), q.size(1), queries, v.size(3)));
        }
    }

    /** (B, H, n, d) to (B*H, n, d) whose rows lie one behind the other: oneDNN is slow where other heads lie between them. */
    private static Tensor dense(Tensor x) {
        Tensor y = x.flatten(0, 1);
        return y.raw().stride(1) == y.size(2) ? y : y.contiguous();
    }

    private static Tensor block(Tensor x, long head, long heads, long row, long rows) {
        return x.narrow(0, head, heads).narrow(1, row, rows);
    }

    /** q (h, n, d) k^T (h, d, M) / sqrt(d) + mask. The scale is the product's own: a q that is scaled before would be rounded once more. */
    private static Tensor scores(Tensor q, Tensor k, Tensor mask) {
        try (var kept = new Scalar(mask == null ? 0 : 1); var scale = new Scalar(1 / Math.sqrt(q.size(2)))) {
            Tensor added = mask == null ? q.narrow(2, 0, 1) : mask;
            return new Tensor(torch.baddbmm(added.raw(), q.raw(), k.transpose(1, 2).raw(), kept, scale));       // (h, n, M)
        }
    }
}
