package io.sfumato.tensor;

import java.util.Arrays;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A seeded stream of random numbers: PyTorch's CPU generator (mt19937), so {@code new Rng(7).randn(4, 8)} holds the values of
 * {@code torch.randn(4, 8, generator=torch.Generator("cpu").manual_seed(7))}. Values are drawn on the CPU whatever the device of
 * the model. Not thread-safe: one owner.
 */
public final class Rng implements AutoCloseable {
    private final Generator generator;
    private final GeneratorOptional optional;

    /** Any 64 bits are a seed; negative ones count from 2^64 down, as in PyTorch. */
    public Rng(long seed) {
        Engine.load();
        // An Rng may outlive the scope it is made in: these two handles hold their own reference.
        generator = torch.make_generator_cpu(seed);
        generator.retainReference();
        optional = new GeneratorOptional(generator);
        optional.retainReference();
    }

    /** Standard normal numbers, float32. */
    public Tensor randn(long... shape) {
        return randn(DType.F32, shape);
    }

    /** Standard normal numbers drawn in {@code type}: float64 ones are other numbers, and so are most of a half's last 16. */
    public Tensor randn(DType type, long... shape) {
        boolean half = type == DType.F16 || type == DType.BF16;
        return half ? randnHalf(type, shape) : new Tensor(torch.randn(Tensor.checked(shape), optional, Tensor.options(type)));
    }

    // As PyTorch 2.15 draws halves: float32 numbers in blocks of 16, the last block moved back onto the end. The engine's own are coarser.
    private Tensor randnHalf(DType type, long[] shape) {
        try (var scope = new Scope()) {
            long n = Arrays.stream(Tensor.checked(shape)).reduce(1, Math::multiplyExact);
            if (n < 16) {
                return scope.keep(randn(n).to(type).view(shape));
            }
            long drawn = (n + 15) / 16 * 16;
            Tensor x = randn(drawn);
            return scope.keep(Tensor.cat(0, x.narrow(0, 0, n - 16), x.narrow(0, drawn - 16, 16)).to(type).view(shape));
        }
    }

    /** Normal numbers, float32. */
    public Tensor normal(double mean, double std, long... shape) {
        return new Tensor(empty(DType.F32, shape).normal_(mean, std, optional));
    }

    /** Uniform numbers in [0, 1), float32. */
    public Tensor rand(long... shape) {
        return rand(DType.F32, shape);
    }

    /** Uniform numbers in [0, 1) drawn in {@code type}. */
    public Tensor rand(DType type, long... shape) {
        return new Tensor(torch.rand(Tensor.checked(shape), optional, Tensor.options(type)));
    }

    /** Uniform numbers in [low, high), float32. */
    public Tensor uniform(double low, double high, long... shape) {
        return new Tensor(empty(DType.F32, shape).uniform_(low, high, optional));
    }

    /** 1 where a coin of that probability falls so, else 0: the shape and dtype of {@code probabilities}, which lie in [0, 1]. */
    public Tensor bernoulli(Tensor probabilities) {
        return new Tensor(torch.bernoulli(probabilities.raw(), optional));
    }

    /** Uniform integers in [low, high), int64. */
    public Tensor randint(long low, long high, long... shape) {
        return new Tensor(torch.randint(low, high, Tensor.checked(shape), optional, Tensor.options(DType.I64)));
    }

    /** A random order of 0 to n-1, int64. */
    public Tensor randperm(long n) {
        return new Tensor(torch.randperm(n, optional, Tensor.options(DType.I64)));
    }

    /** Draws {@code count} indices from each row of {@code weights} (rows, n) or (n), which need not sum to one. */
    public Tensor multinomial(Tensor weights, int count, boolean replacement) {
        return new Tensor(torch.multinomial(weights.raw(), count, replacement, optional));
    }

    /** Exponential numbers of rate 1, drawn in {@code type}. */
    public Tensor exponential(DType type, long... shape) {
        return new Tensor(empty(type, shape).exponential_(1.0, optional));
    }

    private static org.bytedeco.pytorch.Tensor empty(DType type, long[] shape) {
        return torch.empty(Tensor.checked(shape), Tensor.options(type), Tensor.noFormat());
    }

    /** What the stream was seeded with. */
    public long seed() {
        return generator.current_seed();
    }

    /** The state of the stream, to go on from with {@link #restore}. */
    public Tensor state() {
        return new Tensor(generator.get_state());
    }

    public void restore(Tensor state) {
        generator.set_state(state.raw());
    }

    @Override
    public void close() {
        optional.releaseReference();
        generator.releaseReference();
    }
}
