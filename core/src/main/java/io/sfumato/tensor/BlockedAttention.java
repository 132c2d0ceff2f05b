package io.sfumato.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/**
 * Attention in bfloat16 as matrix products of oneDNN, some rows of scores at a time. The engine's own kernel, which holds no scores, is the
 * fastest in float32; without products of bfloat16 it is many times slower than this.
 */
final class BlockedAttention {
    /** Numbers of scores at a time: they and their softmax stay in the caches, and a product is large enough for several threads. */
    private static final long SCORES = 1 << 21;
    private static final long ROWS = 512;
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
        long batch = q.size(0), heads = q.size(1), queries = q.size(2), keys = k.size(2);
        try (var scope = new Scope()) {
            Tensor allQ = dense(q), allK = dense(k), allV = dense(v);                                   // (B*H, N, d), (B*H, M, d)
            Tensor allMask = mask == null ? null : mask.flatten(0, 1);                                  // (B*H, N, M)
            long rows = Math.min(queries, ROWS), group = Math.min(batch * heads, Math.max(1, SCORES / (rows * keys)));
            List<Tensor> groups = new ArrayList<>();
            for (long h = 0; h < batch * heads; h += group) {
                long n = Math.min(group, batch * heads - h);
                Tensor some = mask == null ? null : allMask.narrow(0, h, n);
                groups.add(inRows(allQ.narrow(0, h, n), allK.narrow(0, h, n), allV.narrow(0, h, n), some, rows));
            }
            return scope.keep(joined(0, groups).view(batch, heads, queries, v.size(3)));
        }
    }

    /** (B, H, n, d) to (B*H, n, d) whose rows lie one behind the other: oneDNN is slow where other heads lie between them. */
    private static Tensor dense(Tensor x) {
        Tensor y = x.flatten(0, 1);
        return y.raw().stride(1) == y.size(2) ? y : y.contiguous();
    }

    private static Tensor inRows(Tensor q, Tensor k, Tensor v, Tensor mask, long rows) {
        try (var scope = new Scope()) {
            List<Tensor> parts = new ArrayList<>();
            for (long i = 0; i < q.size(1); i += rows) {
                long n = Math.min(rows, q.size(1) - i);
                parts.add(whole(q.narrow(1, i, n), k, v, mask == null ? null : mask.narrow(1, i, n)));
            }
            return scope.keep(joined(1, parts));
        }
    }

    /** The scale is the product's own: a q that is scaled before would be rounded once more. */
    private static Tensor whole(Tensor q, Tensor k, Tensor v, Tensor mask) {
        try (var scope = new Scope(); var kept = new Scalar(mask == null ? 0 : 1); var scale = new Scalar(1 / Math.sqrt(q.size(2)))) {
            Tensor added = mask == null ? q.narrow(2, 0, 1) : mask;
            Tensor scores = new Tensor(torch.baddbmm(added.raw(), q.raw(), k.transpose(1, 2).raw(), kept, scale));      // (h, n, M)
            return scope.keep(scores.softmax(-1).matmul(v));
        }
    }

    private static Tensor joined(long dim, List<Tensor> parts) {
        return parts.size() == 1 ? parts.get(0) : Tensor.cat(dim, parts.toArray(Tensor[]::new));
    }
}
