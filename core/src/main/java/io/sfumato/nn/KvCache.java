package io.sfumato.nn;

import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Keys and values of the tokens that a decoder has read, so that the n-th token costs one row of attention over n. Memory for all of
 * them is taken at once. The first tokens may come with fewer rows than the cache has: candidates that share a prompt share its
 * reading, and each row is kept as many times as there are candidates.
 */
public final class KvCache implements AutoCloseable {
    private final List<Layer> layers;

    /** @param like a tensor of the type and device of the keys */
    public KvCache(int layers, long rows, int heads, int headWidth, int capacity, Tensor like) {
        this.layers = IntStream.range(0, layers).mapToObj(i -> new Layer(rows, heads, headWidth, capacity, like)).toList();
    }

    public Past layer(int i) {
        return layers.get(i);
    }

    /** Tokens read. */
    public int length() {
        return layers.get(layers.size() - 1).length;
    }

    @Override
    public void close() {
        layers.forEach(Layer::close);
    }

    private static final class Layer implements Past {
        private final Tensor keys;
        private final Tensor values;
        private int length;

        Layer(long rows, int heads, int headWidth, int capacity, Tensor like) {
            try (var scope = new Scope()) {
                keys = Tensor.zeros(like.dtype(), rows, heads, capacity, headWidth).to(like.device()).retain();
                values = Tensor.zeros(like.dtype(), rows, heads, capacity, headWidth).to(like.device()).retain();
            }
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public Tensor[] append(Tensor k, Tensor v) {                                        // (B, heads, n, d)
            long n = k.size(2), times = keys.size(0) / k.size(0);
            if (length + n > keys.size(2) || times * k.size(0) != keys.size(0) || times > 1 && length > 0) {
                throw new IllegalArgumentException(n + " tokens of " + k.size(0) + " rows after " + length
                        + " do not fit a cache of " + keys.size(0) + " rows for " + keys.size(2) + " tokens");
            }
            keys.narrow(2, length, n).copy_(times == 1 ? k : k.repeatInterleave(times, 0));
            values.narrow(2, length, n).copy_(times == 1 ? v : v.repeatInterleave(times, 0));
            length += (int) n;
            return times > 1 ? new Tensor[] {k, v} : new Tensor[] {keys.narrow(2, 0, length), values.narrow(2, 0, length)};
        }

        void close() {
            keys.close();
            values.close();
        }
    }
}
