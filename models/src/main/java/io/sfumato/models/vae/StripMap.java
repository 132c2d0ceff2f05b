package io.sfumato.models.vae;

import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * A feature map (1, channels, height, width) of which a strip of rows is computed when it is asked for: what is large is never held
 * whole. Rows beyond a strip's ends, as far as convolutions reach, are computed with it, so its own are those of the whole map; the
 * statistics of norms, which reach over the whole map, take a pass of their own.
 *
 * @param heaviest the most numbers in a row of this map and of those that it is computed from: what a strip costs
 */
record StripMap(long channels, long height, long width, long heaviest, Limits limits, Rows rows) {
    /**
     * @param strip bytes of a strip: smaller ones need less memory, and more time for the rows beyond their ends
     * @param map   bytes of a map of float32 from which on it is held in float16
     */
    record Limits(long strip, long map) {
        static final Limits USUAL = new Limits(16L << 20, 1L << 30);
    }

    /** Computes a strip. */
    @FunctionalInterface
    interface Rows {
        /** Rows {@code from} to {@code to}, exclusive: (1, C, to - from, W). */
        Tensor of(long from, long to);
    }

    /** A map whose numbers are there. */
    static StripMap of(Tensor x, Limits limits) {
        return new StripMap(x.size(1), x.size(2), x.size(3), x.size(1) * x.size(3), limits, (from, to) -> x.narrow(2, from, to - from));
    }

    /**
     * After a function that keeps the size and looks at {@code margin} rows on either side of each. Zeros of its own, where a strip
     * ends and the map does not, spoil the margin only, which is cut off.
     */
    StripMap after(long out, long margin, UnaryOperator<Tensor> function) {
        return new StripMap(out, height, width, Math.max(heaviest, out * width), limits, (from, to) -> {
            long first = Math.max(0, from - margin), last = Math.min(height, to + margin);
            return function.apply(rows.of(first, last)).narrow(2, from - first, to - from);
        });
    }

    /** Each pixel four times. */
    StripMap doubled() {
        return new StripMap(channels, 2 * height, 2 * width, Math.max(heaviest, 2 * width * channels), limits, (from, to) -> {
            Tensor x = rows.of(from / 2, (to + 1) / 2);
            return Functional.upsampleNearest(x, 2 * x.size(2), 2 * width).narrow(2, from % 2, to - from);
        });
    }

    /** After a convolution of stride 2 on the map with a row of zeros below and a column of them on the right. */
    StripMap halved(Conv2d conv) {
        return new StripMap(channels, height / 2, width / 2, 2 * heaviest, limits, (from, to) -> {
            long last = Math.min(height, 2 * to + 1);
            return conv.forward(Functional.pad(rows.of(2 * from, last), 0, 1, 0, 2 * to + 1 - last));
        });
    }

    /** The norm with this map's statistics, for strips: a pass over the map, now. */
    UnaryOperator<Tensor> statistics(GroupNorm norm) {
        var moments = new ChannelMoments((int) channels);
        for (long from = 0; from < height; from += strip()) {
            try (var scope = new Scope()) {
                moments.add(rows.of(from, Math.min(height, from + strip())));
            }
        }
        return norm.given(moments.means(), moments.variances());
    }

    /**
     * Writes the map into {@code target} (1, C, H, W). That may be the very map that this one is computed from, where no row needs more
     * than the two above it: each strip is written when the next one is computed.
     */
    void into(Tensor target) {
        try (var all = new Scope()) {
            Tensor waiting = Tensor.zeros(target.dtype(), 1, Math.min(height, strip()), width, channels).permute(0, 3, 1, 2);
            long written = 0;
            for (long from = 0; from < height; from += strip()) {
                try (var scope = new Scope()) {
                    Tensor strip = rows.of(from, Math.min(height, from + strip()));
                    target.narrow(2, written, from - written).copy_(waiting.narrow(2, 0, from - written));
                    waiting.narrow(2, 0, strip.size(2)).copy_(strip);
                    written = from;
                }
            }
            target.narrow(2, written, height - written).copy_(waiting.narrow(2, 0, height - written));
        }
    }

    private long strip() {
        return Math.max(2, limits.strip / (heaviest * DType.F32.bytes()));
    }
}
