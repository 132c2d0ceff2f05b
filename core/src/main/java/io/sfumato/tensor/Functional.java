package io.sfumato.tensor;

import java.util.Arrays;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.InterpolateFuncOptions;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.kBicubic;
import org.bytedeco.pytorch.kBilinear;
import org.bytedeco.pytorch.kNearest;
import org.bytedeco.pytorch.kNearestExact;

/** Layers as functions of their input and parameters: PyTorch's {@code torch.nn.functional}. */
public final class Functional {
    private static final long ROWS_PACKED = 64;

    private Functional() {
    }

    /** x (..., in) with weight (out, in). */
    public static Tensor linear(Tensor x, Tensor weight) { return linear(x, weight, new TensorOptional()); }

    /** x (..., in) with weight (out, in) and bias (out). */
    public static Tensor linear(Tensor x, Tensor weight, Tensor bias) { return linear(x, weight, some(bias)); }

    private static Tensor linear(Tensor x, Tensor weight, TensorOptional bias) {
        return new Tensor(isFewRows(x, weight) ? rowByRow(x.raw(), weight.raw(), bias)
                : isWorthOneDnn(x, weight) ? pointwise(x.raw(), weight.raw(), bias) : torch.linear(x.raw(), weight.raw(), bias));
    }

    /** A token or a few: OpenBLAS's matrix product copies all weights first, its product with a vector reads them once. */
    private static boolean isFewRows(Tensor x, Tensor weight) {
        long in = weight.size(1);
        return x.numel() > 0 && x.numel() <= 4 * in && x.size(-1) == in && weight.size(0) > 1 && !GradMode.is_enabled() && x.raw().is_cpu()
                && x.dtype() == DType.F32 && weight.dtype() == DType.F32;
    }

    private static org.bytedeco.pytorch.Tensor rowByRow(
            org.bytedeco.pytorch.Tensor x, org.bytedeco.pytorch.Tensor weight, TensorOptional bias) {
        long[] shape = new long[(int) x.dim()];
        Arrays.setAll(shape, i -> i == shape.length - 1 ? weight.size(0) : x.size(i));
        org.bytedeco.pytorch.Tensor rows = x.reshape(-1, weight.size(1));
        var products = new org.bytedeco.pytorch.Tensor[(int) rows.size(0)];
        Arrays.setAll(products, i -> bias.has_value() ? torch.addmv(bias.get(), weight, rows.select(0, i))
                : torch.mv(weight, rows.select(0, i)));
        return (products.length == 1 ? products[0] : torch.cat(new TensorVector(products))).reshape(shape);
    }

    /** Inference over enough rows, on a CPU: oneDNN is faster than the BLAS, and uses libtorch's threads. Linear in bfloat16 is its. */
    private static boolean isWorthOneDnn(Tensor x, Tensor weight) {
        long in = weight.size(1);
        return x.numel() >= 32 * in && in >= 16 && weight.size(0) >= 16 && x.size(-1) == in && !GradMode.is_enabled()
                && x.raw().is_cpu() && x.dtype() == DType.F32 && weight.dtype() == DType.F32 && Engine.hasOneDnn(DType.F32);
    }

    /** The product as a 1x1 convolution, which oneDNN offers for plain memory: rows x (N, in) are a channels-last (1, in, N, 1). */
    private static org.bytedeco.pytorch.Tensor pointwise(
            org.bytedeco.pytorch.Tensor x, org.bytedeco.pytorch.Tensor weight, TensorOptional bias) {
        long in = weight.size(1), out = weight.size(0);
        long[] shape = new long[(int) x.dim()];
        Arrays.setAll(shape, i -> i == shape.length - 1 ? out : x.size(i));
        return torch.mkldnn_convolution(x.reshape(1, x.numel() / in, 1, in).permute(0, 3, 1, 2), weight.reshape(out, in, 1, 1), bias,
                new long[] {0, 0}, new long[] {1, 1}, new long[] {1, 1}, 1).permute(0, 2, 3, 1).reshape(shape);
    }

    /** x (B, in, H, W) with weight (out, in, k, k) and bias (out); zero padding on each side. */
    public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, long stride, long padding) {
        return new Tensor(torch.conv2d(x.raw(), weight.raw(), some(bias), new long[] {stride}, new long[] {padding}, new long[] {1}, 1));
    }

    /** x (B, in, H, W) with weight (in, out, k, k) and bias (out) to (B, out, (H-1)*stride + k, ...): the transpose of a convolution. */
    public static Tensor convTranspose2d(Tensor x, Tensor weight, Tensor bias, long stride) {
        return new Tensor(torch.conv_transpose2d(x.raw(), weight.raw(), some(bias), new long[] {stride}, new long[] {0}, new long[] {0}, 1,
                new long[] {1}));
    }

    /** Each channel of x (B, C, H, W) with a kernel of its own, weight (C, 1, k, k), and bias (C); zero padding on each side. */
    public static Tensor depthwiseConv2d(Tensor x, Tensor weight, Tensor bias, long padding) {
        return new Tensor(torch.conv2d(x.raw(), weight.raw(), some(bias), new long[] {1}, new long[] {padding}, new long[] {1}, x.size(1)));
    }

    public static Tensor groupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double eps) {
        return new Tensor(torch.group_norm(x.raw(), groups, some(weight), some(bias), eps, true));
    }

    public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
        return new Tensor(torch.layer_norm(x.raw(), new long[] {weight.numel()}, some(weight), some(bias), eps, true));
    }

    /** Rows of {@code table} (V, D) for {@code ids} (...): (..., D). */
    public static Tensor embedding(Tensor table, Tensor ids) { return new Tensor(torch.embedding(table.raw(), ids.raw())); }

    /** softmax(q k^T / sqrt(d)) v with q (B, H, N, d), k and v (B, H, M, d); {@code causal} hides later positions. */
    public static Tensor attention(Tensor q, Tensor k, Tensor v, boolean causal) {
        if (!isSlowToAttend(q)) {
            return attention(q, k, v, new TensorOptional(), causal);
        }
        try (var scope = new Scope()) {
            return scope.keep(halfAttention(q, k, v, causal ? later(q.size(2), k.size(2)).to(q) : null));
        }
    }

    /** As {@link #attention} with {@code mask}, which is added to the scores, broadcast to (B, H, N, M). */
    public static Tensor attention(Tensor q, Tensor k, Tensor v, Tensor mask) {
        if (!isSlowToAttend(q)) {
            return attention(q, k, v, some(mask), false);
        }
        try (var scope = new Scope()) {
            return scope.keep(halfAttention(q, k, v, mask));
        }
    }

    private static Tensor attention(Tensor q, Tensor k, Tensor v, TensorOptional mask, boolean causal) {
        return new Tensor(torch.scaled_dot_product_attention(q.raw(), k.raw(), v.raw(), mask, 0.0, causal, new DoubleOptional(), false));
    }

    // Half precision on a CPU falls to a kernel that is twenty times slower than float32's: but not with AMX and enough rows to be packed.
    private static boolean isSlowToAttend(Tensor q) {
        boolean packs = q.dtype() == DType.BF16 && q.size(2) >= ROWS_PACKED && !GradMode.is_enabled() && Engine.hasAmx();
        return q.raw().is_cpu() && q.dtype().bytes() == 2 && !packs;
    }

    private static Tensor halfAttention(Tensor q, Tensor k, Tensor v, Tensor mask) {
        if (BlockedAttention.isWorthIt(q, k)) {
            return BlockedAttention.of(q, k, v, mask == null ? null : mask.expand(q.size(0), q.size(1), q.size(2), k.size(2)));
        }
        TensorOptional wide = mask == null ? new TensorOptional() : some(mask.to(DType.F32));
        return attention(q.to(DType.F32), k.to(DType.F32), v.to(DType.F32), wide, false).to(q.dtype());
    }

    /** -infinity (N, M) for keys that are later than a query, 0 else. */
    private static Tensor later(long queries, long keys) {
        return new Tensor(Tensor.full(Double.NEGATIVE_INFINITY, queries, keys).raw().triu(1));
    }

    /** (B, C r^2, H, W) to (B, C, H r, W r): each place becomes r x r pixels, row by row (Shi et al. 2016, the sub-pixel convolution). */
    public static Tensor pixelShuffle(Tensor x, long r) {
        return new Tensor(torch.pixel_shuffle(x.raw(), r));
    }

    /** Nearest-neighbour resize of (B, C, H, W). */
    public static Tensor upsampleNearest(Tensor x, long height, long width) {
        return new Tensor(torch.upsample_nearest2d(x.raw(), height, width));
    }

    /** Bilinear resize of (B, C, H, W), pixels being squares and not points. */
    public static Tensor upsampleBilinear(Tensor x, long height, long width) {
        return new Tensor(torch.upsample_bilinear2d(x.raw(), new long[] {height, width}, false));
    }

    /** Bilinear resize of (B, C, H, W), pixels being points: the corners stay where they are. */
    public static Tensor upsampleBilinearOfPoints(Tensor x, long height, long width) {
        return new Tensor(torch.upsample_bilinear2d(x.raw(), new long[] {height, width}, true));
    }

    /** As {@link #upsampleBilinear}, by cubic convolution with a = -0.75. */
    public static Tensor upsampleBicubic(Tensor x, long height, long width) {
        return new Tensor(torch.upsample_bicubic2d(x.raw(), new long[] {height, width}, false));
    }

    /**
     * As {@link #upsampleBilinear}, by cubic convolution with a = -0.5 that is as wide as it must be not to alias: Pillow's, and
     * PyTorch's with {@code antialias}.
     */
    public static Tensor resizeBicubic(Tensor x, long height, long width) {
        Tensor rows = bicubic(x.size(2), height).to(x), columns = bicubic(x.size(3), width).to(x);
        return rows.matmul(x).matmul(columns.transpose(0, 1));                              // (B, C, height, width)
    }

    /**
     * {@link #resizeBicubic} of bytes (B, C, H, W) in fixed-point numbers of 16 bits, which may be one off from Pillow's: what torchvision
     * makes of 8-bit pictures.
     */
    public static Tensor resizeBicubicBytes(Tensor x, long height, long width) {
        return interpolate(x, height, width, Interpolation.BICUBIC, true);
    }

    /**
     * x (B, C, H, W) at another size as {@code torch.nn.functional.interpolate} makes it, pixels being squares; {@code antialias}, for
     * the two smooth kinds, widens the filter where the picture shrinks.
     */
    public static Tensor interpolate(Tensor x, long height, long width, Interpolation kind, boolean antialias) {
        var options = new InterpolateFuncOptions();
        options.size().put(new LongVector(height, width));
        switch (kind) {
            case NEAREST -> options.mode().put(new kNearest());
            case NEAREST_EXACT -> options.mode().put(new kNearestExact());
            case BILINEAR -> options.mode().put(new kBilinear());
            case BICUBIC -> options.mode().put(new kBicubic());
        }
        if (kind != Interpolation.NEAREST) {
            options.align_corners().put(false);
        }
        options.antialias().put(antialias);
        return new Tensor(torch.interpolate(x.raw(), options));
    }

    /** The share (to, from) that each old place has in each new one. */
    private static Tensor bicubic(long from, long to) {
        double scale = (double) from / to, wide = Math.max(scale, 1);
        double[] shares = new double[Math.toIntExact(from * to)];
        for (int i = 0; i < to; i++) {
            double centre = scale * (i + 0.5), sum = 0;
            int first = (int) Math.max(centre - 2 * wide + 0.5, 0), end = (int) Math.min(centre + 2 * wide + 0.5, from);
            for (int j = first; j < end; j++) {
                sum += cubic(Math.abs((j - centre + 0.5) / wide));
            }
            for (int j = first; j < end; j++) {
                shares[(int) (i * from) + j] = cubic(Math.abs((j - centre + 0.5) / wide)) / sum;
            }
        }
        return Tensor.of(shares, to, from);
    }

    private static double cubic(double d) {
        return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    }

    /** Mean of k x k windows, stride k. */
    public static Tensor avgPool2d(Tensor x, long k) { return new Tensor(torch.avg_pool2d(x.raw(), k)); }

    /** Largest of k x k windows, stride k. */
    public static Tensor maxPool2d(Tensor x, long k) { return new Tensor(torch.max_pool2d(x.raw(), k)); }

    /** Zeros around the last dimensions: (left, right, top, bottom, ...). */
    public static Tensor pad(Tensor x, long... amounts) { return new Tensor(torch.pad(x.raw(), amounts)); }

    /** Mean of -log softmax(x)[target] with logits x (B, K) and int64 target (B). */
    public static Tensor crossEntropy(Tensor x, Tensor target) { return new Tensor(torch.cross_entropy_loss(x.raw(), target.raw())); }

    private static TensorOptional some(Tensor x) { return new TensorOptional(x.raw()); }
}
