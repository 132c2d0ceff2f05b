package io.sfumato.tensor;

import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * An n-dimensional array outside the Java heap, with PyTorch's operators under PyTorch's names. Operators return new tensors, which
 * the innermost {@link Scope} of the thread frees; names that end in {@code _} change the receiver and return it. Gradients are
 * recorded where an input requires them and no {@link NoGrad} is open. Wrong shapes throw the engine's RuntimeException.
 */
public final class Tensor implements AutoCloseable {
    static {
        Engine.load();
    }

    private final org.bytedeco.pytorch.Tensor t;

    Tensor(org.bytedeco.pytorch.Tensor t) {
        this.t = t;
        // Outside every scope its maker owns it. Uncounted, it would die with the first scope that keeps it on its way.
        if (PointerScope.getInnerScope() == null) {
            t.retainReference();
        }
    }

    org.bytedeco.pytorch.Tensor raw() {
        return t;
    }

    /** Takes this tensor out of the hands of every scope; {@link #close} then gives it back. */
    public Tensor retain() {
        t.retainReference();
        return this;
    }

    /**
     * Gives up one {@link #retain}, the keep of a scope that had none around it, or a tensor made outside every scope. The garbage
     * collector frees what is forgotten, but late: it does not see how large tensors are.
     */
    @Override
    public void close() {
        t.releaseReference();
    }

    // ---- making ----

    public static Tensor of(float[] values, long... shape) {
        Tensor x = empty(DType.F32, values.length, shape);
        if (values.length > 0) {    // an empty tensor has no address
            try (var p = new PointerScope()) {
                x.t.data_ptr_float().put(values);
            }
        }
        return x;
    }

    public static Tensor of(double[] values, long... shape) {
        Tensor x = empty(DType.F64, values.length, shape);
        if (values.length > 0) {
            try (var p = new PointerScope()) {
                x.t.data_ptr_double().put(values);
            }
        }
        return x;
    }

    public static Tensor of(long[] values, long... shape) {
        Tensor x = empty(DType.I64, values.length, shape);
        if (values.length > 0) {
            try (var p = new PointerScope()) {
                x.t.data_ptr_long().put(values);
            }
        }
        return x;
    }

    /** Token ids and the like: int64, shape (n). */
    public static Tensor of(int... values) { return of(Arrays.stream(values).asLongStream().toArray(), values.length); }

    /** Unsigned bytes, such as 8-bit pictures. */
    public static Tensor of(byte[] values, long... shape) { return of(DType.U8, values, shape); }

    /** Little-endian bytes of {@code type}, as they stand in a file. */
    public static Tensor of(DType type, byte[] bytes, long... shape) {
        if (bytes.length % type.bytes() != 0) {
            throw new IllegalArgumentException(bytes.length + " bytes are no whole number of " + type.code() + " elements");
        }
        Tensor x = empty(type, bytes.length / type.bytes(), shape);
        if (bytes.length > 0) {
            try (var p = new PointerScope()) {
                new BytePointer(x.t.data_ptr()).put(bytes);
            }
        }
        return x;
    }

    private static Tensor empty(DType type, long count, long[] shape) {
        if (Arrays.stream(checked(shape)).asDoubleStream().reduce(1, (a, b) -> a * b) != count) {
            throw new IllegalArgumentException(count + " values cannot fill shape " + Arrays.toString(shape));
        }
        return new Tensor(torch.empty(shape, options(type), noFormat()));
    }

    public static Tensor zeros(DType type, long... shape) { return new Tensor(torch.zeros(checked(shape), options(type))); }
    public static Tensor zeros(long... shape) { return zeros(DType.F32, shape); }
    public static Tensor ones(long... shape) { return full(1, shape); }

    /** Float32 tensor of one value. */
    public static Tensor full(double value, long... shape) {
        return new Tensor(torch.full(checked(shape), new Scalar(value), options(DType.F32)));
    }

    /** {@code n} evenly spaced float32 values from {@code start} to {@code end}, both included. */
    public static Tensor linspace(double start, double end, long n) {
        return new Tensor(torch.linspace(new Scalar(start), new Scalar(end), n, options(DType.F32)));
    }

    /** 0, 1, ... n-1 as int64. */
    public static Tensor arange(long n) { return new Tensor(torch.arange(new Scalar(n), options(DType.I64))); }

    static long[] checked(long[] shape) {
        for (long d : shape) {
            if (d < 0) {
                throw new IllegalArgumentException("negative size in shape " + Arrays.toString(shape));
            }
        }
        return shape;
    }

    static TensorOptions options(DType type) {
        return new TensorOptions(type.scalar);
    }

    static MemoryFormatOptional noFormat() {
        return new MemoryFormatOptional();
    }

    /**
     * Maps a file's bytes, read-only by convention, as one U8 tensor of its whole length; pages are read when touched. Slices share
     * the mapping and keep it alive.
     */
    public static Tensor mapped(String file, long length) {
        return new Tensor(torch.from_file(file, new BoolOptional(false), new LongOptional(length), options(DType.U8)));
    }

    // ---- what it is ----

    public long[] shape() {
        long[] shape = new long[(int) t.dim()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = t.size(i);
        }
        return shape;
    }

    /** Size of dimension {@code dim}; negative ones count from the end. */
    public long size(long dim) { return t.size(dim); }

    public int dim() { return (int) t.dim(); }
    public long numel() { return t.numel(); }
    public DType dtype() { return DType.of(t.scalar_type().intern()); }

    /** Bytes of its elements. */
    public long nbytes() { return t.numel() * t.element_size(); }

    public Device device() {
        try (var p = new PointerScope()) {
            return t.is_cuda() ? Device.CUDA : t.device().is_cpu() ? Device.CPU : Device.MPS;
        }
    }

    // ---- to Java ----

    public float[] toFloats() {
        try (var p = new PointerScope()) {
            float[] values = new float[Math.toIntExact(t.numel())];
            if (values.length > 0) {
                new FloatPointer(host(DType.F32).data_ptr()).get(values);
            }
            return values;
        }
    }

    public double[] toDoubles() {
        try (var p = new PointerScope()) {
            double[] values = new double[Math.toIntExact(t.numel())];
            if (values.length > 0) {
                new DoublePointer(host(DType.F64).data_ptr()).get(values);
            }
            return values;
        }
    }

    public long[] toLongs() {
        try (var p = new PointerScope()) {
            long[] values = new long[Math.toIntExact(t.numel())];
            if (values.length > 0) {
                new LongPointer(host(DType.I64).data_ptr()).get(values);
            }
            return values;
        }
    }

    /** The elements' bytes, little-endian, in row-major order. */
    public byte[] toBytes() {
        try (var p = new PointerScope()) {
            byte[] bytes = new byte[Math.toIntExact(nbytes())];
            if (bytes.length > 0) {
                new BytePointer(host(dtype()).data_ptr()).get(bytes);
            }
            return bytes;
        }
    }

    private org.bytedeco.pytorch.Tensor host(DType type) {
        return t.detach().to(new org.bytedeco.pytorch.Device("cpu"), type.scalar).contiguous();
    }

    /** The value of a tensor of one element. */
    public double item() { return t.item_double(); }

    // ---- type, device, layout ----

    public Tensor to(DType type) { return new Tensor(t.to(type.scalar)); }

    public Tensor to(Device device) {
        return new Tensor(t.to(new TensorOptions(new org.bytedeco.pytorch.Device(device.code)), false, false, noFormat()));
    }

    /** The dtype and device of {@code other}. */
    public Tensor to(Tensor other) { return new Tensor(t.to(other.t)); }

    /** The same bytes read as {@code type}; the last dimension is scaled by the ratio of the sizes. */
    public Tensor viewAs(DType type) { return new Tensor(t.view(type.scalar)); }

    public Tensor contiguous() { return new Tensor(t.contiguous()); }

    /** NHWC strides under an NCHW shape: the layout that convolutions are fast in on a CPU. For 4-D tensors. */
    public Tensor channelsLast() { return new Tensor(t.contiguous(MemoryFormat.ChannelsLast)); }

    @Override
    public Tensor clone() { return new Tensor(t.clone()); }

    // ---- shape ----

    public Tensor view(long... shape) { return new Tensor(t.view(shape)); }
    public Tensor reshape(long... shape) { return new Tensor(t.reshape(shape)); }
    public Tensor permute(long... dims) { return new Tensor(t.permute(dims)); }
    public Tensor transpose(long a, long b) { return new Tensor(t.transpose(a, b)); }
    public Tensor flatten(long from, long to) { return new Tensor(t.flatten(from, to)); }
    /** A view of this one's storage from its first element on: {@code stride} elements between neighbours of each dimension. */
    public Tensor asStrided(long[] shape, long[] stride) { return new Tensor(t.as_strided(shape, stride)); }

    public Tensor unsqueeze(long dim) { return new Tensor(t.unsqueeze(dim)); }
    public Tensor squeeze(long dim) { return new Tensor(t.squeeze(dim)); }
    public Tensor expand(long... shape) { return new Tensor(t.expand(shape)); }
    public Tensor repeat(long... times) { return new Tensor(t.repeat(times)); }

    /** Each entry of {@code dim} {@code times} times in a row. */
    public Tensor repeatInterleave(long times, long dim) {
        return new Tensor(t.repeat_interleave(times, new LongOptional(dim), new LongOptional()));
    }

    public Tensor flip(long... dims) { return new Tensor(t.flip(dims)); }

    /** {@code length} entries of {@code dim} from {@code start}, shared. */
    public Tensor narrow(long dim, long start, long length) { return new Tensor(t.narrow(dim, start, length)); }

    /** Entry {@code index} of {@code dim}, shared, without that dimension. */
    public Tensor select(long dim, long index) { return new Tensor(t.select(dim, index)); }

    /** The rows of {@code dim} that {@code index} (n) names, copied. */
    public Tensor indexSelect(long dim, Tensor index) { return new Tensor(t.index_select(dim, index.t)); }

    /** Adds each row of {@code x} to the row of {@code dim} that {@code index} (n) has for it; several may go to one. */
    public Tensor indexAdd_(long dim, Tensor index, Tensor x) { t.index_add_(dim, index.t, x.t); return this; }

    public Tensor gather(long dim, Tensor index) { return new Tensor(t.gather(dim, index.t)); }
    public Tensor[] chunk(long n, long dim) { return handles(t.chunk(n, dim)); }
    public Tensor[] split(long size, long dim) { return handles(t.split(size, dim)); }

    // An element of a TensorVector dies with it: copy the handle.
    private static Tensor[] handles(TensorVector vector) {
        Tensor[] xs = new Tensor[(int) vector.size()];
        for (int i = 0; i < xs.length; i++) {
            xs[i] = new Tensor(new org.bytedeco.pytorch.Tensor(vector.get(i)));
        }
        vector.close();
        return xs;
    }

    public static Tensor cat(long dim, Tensor... xs) { return new Tensor(torch.cat(vector(xs), dim)); }
    public static Tensor stack(long dim, Tensor... xs) { return new Tensor(torch.stack(vector(xs), dim)); }

    private static TensorVector vector(Tensor[] xs) {
        return new TensorVector(Arrays.stream(xs).map(Tensor::raw).toArray(org.bytedeco.pytorch.Tensor[]::new));
    }

    // ---- arithmetic ----

    public Tensor add(Tensor y) { return new Tensor(t.add(y.t)); }
    public Tensor add(double y) { return new Tensor(t.add(new Scalar(y))); }
    public Tensor sub(Tensor y) { return new Tensor(t.sub(y.t)); }
    public Tensor sub(double y) { return new Tensor(t.sub(new Scalar(y))); }
    public Tensor mul(Tensor y) { return new Tensor(t.mul(y.t)); }
    public Tensor mul(double y) { return new Tensor(t.mul(new Scalar(y))); }
    public Tensor div(Tensor y) { return new Tensor(t.div(y.t)); }
    public Tensor div(double y) { return new Tensor(t.div(new Scalar(y))); }
    public Tensor neg() { return new Tensor(t.neg()); }
    public Tensor pow(double y) { return new Tensor(t.pow(new Scalar(y))); }
    public Tensor square() { return new Tensor(t.square()); }
    public Tensor sqrt() { return new Tensor(t.sqrt()); }
    public Tensor abs() { return new Tensor(t.abs()); }
    public Tensor exp() { return new Tensor(t.exp()); }
    public Tensor log() { return new Tensor(t.log()); }
    public Tensor sin() { return new Tensor(t.sin()); }
    public Tensor cos() { return new Tensor(t.cos()); }
    public Tensor round() { return new Tensor(t.round()); }

    public Tensor clamp(double min, double max) {
        return new Tensor(t.clamp(new ScalarOptional(new Scalar(min)), new ScalarOptional(new Scalar(max))));
    }

    public Tensor max(Tensor y) { return new Tensor(t.max(y.t)); }
    public Tensor min(Tensor y) { return new Tensor(t.min(y.t)); }
    public Tensor add_(Tensor y) { t.add_(y.t); return this; }
    public Tensor add_(Tensor y, double times) { t.add_(y.t, new Scalar(times)); return this; }
    public Tensor add_(double y) { t.add_(new Scalar(y)); return this; }
    public Tensor mul_(Tensor y) { t.mul_(y.t); return this; }
    public Tensor mul_(double y) { t.mul_(new Scalar(y)); return this; }

    /** Moves towards {@code y} by the share {@code weight}. */
    public Tensor lerp_(Tensor y, double weight) { t.lerp_(y.t, new Scalar(weight)); return this; }

    public Tensor addcmul_(Tensor a, Tensor b, double times) { t.addcmul_(a.t, b.t, new Scalar(times)); return this; }
    public Tensor addcdiv_(Tensor a, Tensor b, double times) { t.addcdiv_(a.t, b.t, new Scalar(times)); return this; }
    public Tensor copy_(Tensor y) { t.copy_(y.t); return this; }
    public Tensor zero_() { t.zero_(); return this; }

    public Tensor clamp_(double min, double max) {
        t.clamp_(new ScalarOptional(new Scalar(min)), new ScalarOptional(new Scalar(max)));
        return this;
    }

    // ---- comparison ----

    /** Bool tensor of {@code this == y}. */
    public Tensor eq(double y) { return new Tensor(t.eq(new Scalar(y))); }

    public Tensor eq(Tensor y) { return new Tensor(t.eq(y.t)); }
    public Tensor lt(double y) { return new Tensor(t.lt(new Scalar(y))); }

    /** {@code this} where it is true, of {@code a} and {@code b}: all broadcast. */
    public Tensor where(Tensor a, Tensor b) { return new Tensor(torch.where(t, a.t, b.t)); }

    /** Same shape, dtype and elements. */
    public boolean equal(Tensor y) { return dtype() == y.dtype() && t.equal(y.t); }

    public boolean isFinite() {
        try (var p = new PointerScope()) {
            return t.isfinite().all().item_long() != 0;
        }
    }

    // ---- reductions ----

    public Tensor sum() { return new Tensor(t.sum()); }
    public Tensor sum(boolean keepdim, long... dims) { return new Tensor(t.sum(dims, keepdim, new ScalarTypeOptional())); }
    public Tensor mean() { return new Tensor(t.mean()); }
    public Tensor mean(boolean keepdim, long... dims) { return new Tensor(t.mean(dims, keepdim, new ScalarTypeOptional())); }

    /** Standard deviation with Bessel's correction, as torch's default. */
    public Tensor std(boolean keepdim, long... dims) { return new Tensor(t.std(dims, true, keepdim)); }

    public Tensor amax(boolean keepdim, long... dims) { return new Tensor(t.amax(dims, keepdim)); }
    public Tensor amin(boolean keepdim, long... dims) { return new Tensor(t.amin(dims, keepdim)); }
    public Tensor argmax(long dim) { return new Tensor(t.argmax(new LongOptional(dim), false)); }

    /** The linearly interpolated {@code q} quantile along {@code dim}. */
    public Tensor quantile(double q, long dim, boolean keepdim) {
        return new Tensor(torch.quantile(t, q, new LongOptional(dim), keepdim, "linear"));
    }

    /** The square root of the sum of squares. */
    public Tensor norm() { return new Tensor(t.norm()); }

    public Tensor cumsum(long dim) { return new Tensor(torch.cumsum(t, dim)); }

    /** Values in order, and where each one stood. */
    public Tensor[] sort(long dim, boolean descending) {
        var pair = t.sort(dim, descending);
        return new Tensor[] {new Tensor(new org.bytedeco.pytorch.Tensor(pair.get0())),
            new Tensor(new org.bytedeco.pytorch.Tensor(pair.get1()))};
    }

    public Tensor cumprod(long dim) { return new Tensor(torch.cumprod(t, dim)); }

    // ---- products and pointwise nonlinearities; layers are in Functional ----

    public Tensor matmul(Tensor y) { return new Tensor(torch.matmul(t, y.t)); }
    public Tensor silu_() { torch.silu_(t); return this; }
    public Tensor gelu_() { torch.gelu_(t); return this; }
    public Tensor relu_() { torch.relu_(t); return this; }
    public Tensor silu() { return new Tensor(torch.silu(t)); }
    public Tensor gelu() { return new Tensor(torch.gelu(t)); }

    /** GELU by its tanh approximation. */
    public Tensor geluTanh() { return new Tensor(torch.gelu(t, "tanh")); }

    public Tensor relu() { return new Tensor(torch.relu(t)); }
    public Tensor sigmoid() { return new Tensor(torch.sigmoid(t)); }
    public Tensor tanh() { return new Tensor(torch.tanh(t)); }
    public Tensor softmax(long dim) { return new Tensor(torch.softmax(t, dim)); }
    public Tensor logSoftmax(long dim) { return new Tensor(torch.log_softmax(t, dim)); }

    // ---- gradients ----

    public Tensor requiresGrad_(boolean on) { t.set_requires_grad(on); return this; }
    public boolean requiresGrad() { return t.requires_grad(); }

    /** Adds the gradient of this one-element tensor to every leaf that requires one. */
    public void backward() {
        t.backward();
    }

    public boolean hasGrad() {
        try (var p = new PointerScope()) {
            return t.grad().defined();
        }
    }

    /** The gradient that {@link #backward} left; see {@link #hasGrad}. */
    public Tensor grad() {
        if (!hasGrad()) {
            throw new IllegalStateException(this + " has no gradient: nothing that requires one led from it to a backward()");
        }
        return new Tensor(t.grad());
    }

    public Tensor detach() { return new Tensor(t.detach()); }

    @Override
    public String toString() { return "Tensor" + Arrays.toString(shape()) + " " + dtype().code(); }
}
