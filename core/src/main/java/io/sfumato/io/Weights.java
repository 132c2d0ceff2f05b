package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.PackedKernel;
import io.sfumato.tensor.PackedMatrix;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A path into a checkpoint. A network's constructor asks for its tensors by their names in the file, with the shapes that its config
 * implies: {@code w.sub("conv_in").get("weight", ...)}. The same constructor reads a checkpoint ({@link #load}) or makes a fresh
 * network ({@link #init}). What was handed out is the list of parameters; {@link #build} checks it against the file.
 */
public final class Weights implements AutoCloseable {
    private static final int MOST_PROBLEMS = 10_000;

    /** How a fresh parameter begins. */
    @FunctionalInterface
    public interface Init {
        Tensor make(Rng rng, long[] shape);

        Init ZEROS = (rng, shape) -> Tensor.zeros(shape);
        Init ONES = (rng, shape) -> Tensor.ones(shape);

        /** Normal numbers of standard deviation {@code std}. */
        static Init normal(double std) {
            return (rng, shape) -> rng.randn(shape).mul_(std);
        }

        /** Uniform in +-1/sqrt(fanIn): PyTorch's default for linear and convolution layers. */
        static Init fanIn(long fanIn) {
            double bound = 1 / Math.sqrt(fanIn);
            return (rng, shape) -> rng.rand(shape).mul_(2 * bound).add_(-bound);
        }
    }

    /** Makes the tensor {@code name}: out of a file, or fresh. */
    private interface Origin {
        Tensor make(String name, Init init, long[] shape, UnaryOperator<Tensor> layout);
    }

    /** What all paths into one checkpoint share; fresh weights have no {@code names}. What is packed is named with what closes it. */
    private record Root(String description, Set<String> names, boolean fresh, boolean packable, Origin origin,
                        Map<String, Tensor> parameters, Map<String, Runnable> packed, List<String> problems) {
    }

    private enum Matrices { AS_ASKED, HELD_IN_8_BITS, MULTIPLIED_IN_8_BITS }

    private static final double LARGEST_INT8 = 127;
    private static final String SCALE = ".scale";

    private static final UnaryOperator<Tensor> AS_STORED = x -> x;

    private final Root root;
    private final String path;
    private final Matrices matrices;
    private final boolean packs;

    private Weights(Root root, String path, Matrices matrices, boolean packs) {
        this.root = root;
        this.path = path;
        this.matrices = matrices;
        this.packs = packs;
    }

    /**
     * Reads from {@code source}, floating-point tensors as {@code dtype} on {@code device}. Tensors that need no conversion share the
     * mapped file; the others are converted one at a time, so the checkpoint is never in memory twice. The source may be closed once
     * the network is built.
     */
    public static Weights load(TensorSource source, DType dtype, Device device) {
        List<String> problems = new ArrayList<>();
        Origin origin = (name, init, shape, layout) -> {
            String problem = problem(source, name, shape);
            if (!problem.isEmpty()) {
                problems.add(problem);
                refuseAbsurd(source, name, shape, problems);
                return Tensor.zeros().expand(shape);    // a stand-in of four bytes, so that one report lists every problem
            }
            boolean converted = layout != AS_STORED || source.dtype(name) != dtype;
            Tensor x = (converted ? source.mapped(name) : source.get(name)).view(shape);
            return layout.apply(x.dtype().isFloating() ? x.to(dtype) : x).to(device);
        };
        return new Weights(new Root(source.description(), source.names(), false, device == Device.CPU && Engine.hasOneDnn(dtype), origin,
                new LinkedHashMap<>(), new LinkedHashMap<>(), problems), "", Matrices.AS_ASKED, false);
    }

    /** Makes fresh parameters, float32 on {@code device}, each requiring gradients. The same {@code rng} gives the same network. */
    public static Weights init(Rng rng, Device device) {
        Origin origin = (name, init, shape, layout) -> layout.apply(init.make(rng, shape)).to(device).requiresGrad_(true);
        return new Weights(new Root("fresh weights", Set.of(), true, false, origin, new LinkedHashMap<>(), new LinkedHashMap<>(),
                List.of()), "", Matrices.AS_ASKED, false);
    }

    /** A config may ask for more than could ever be listed, or counted. */
    private static void refuseAbsurd(TensorSource source, String name, long[] shape, List<String> problems) {
        boolean countable = Arrays.stream(shape).asDoubleStream().reduce(1, (a, b) -> a * b) < 0x1p60;
        if (!countable || Arrays.stream(shape).anyMatch(n -> n < 0) || problems.size() > MOST_PROBLEMS) {
            String after = problems.size() > MOST_PROBLEMS ? " after " + MOST_PROBLEMS + " tensors that do not fit" : "";
            throw new CheckpointException(source.description() + ": its config asks for an absurd network: " + name + " "
                    + Arrays.toString(shape) + after);
        }
    }

    private static String problem(TensorSource source, String name, long[] shape) {
        if (!source.names().contains(name)) {
            return "missing " + name + " " + Arrays.toString(shape);
        }
        long[] stored = source.shape(name);
        return Arrays.equals(stored, shape) || isMatrixAsConvolution(stored, shape) ? ""
                : "wrong shape " + name + ": " + Arrays.toString(stored) + " where " + Arrays.toString(shape) + " is wanted";
    }

    // Older VAEs and SD 1.x store 1x1 convolutions where newer ones have matrices, and the other way round.
    private static boolean isMatrixAsConvolution(long[] stored, long[] wanted) {
        long[] a = stored.length > wanted.length ? stored : wanted;
        long[] b = stored.length > wanted.length ? wanted : stored;
        return a.length == 4 && b.length == 2 && a[0] == b[0] && a[1] == b[1] && a[2] == 1 && a[3] == 1;
    }

    /** The path {@code name} below this one. */
    public Weights sub(String name) {
        return new Weights(root, path + name + ".", matrices, packs);
    }

    /** As {@link #sub(String)}, under the first of the names that the checkpoint has: the newer name, then older ones. */
    public Weights sub(String name, String... older) {
        for (String candidate : older) {
            if (!has(name) && has(candidate)) {
                return sub(candidate);
            }
        }
        return sub(name);
    }

    /** The same path, below which linear layers hold their matrices in 8 bits: a fourth of the memory, for running, not for training. */
    public Weights inEightBits() {
        return new Weights(root, path, Matrices.HELD_IN_8_BITS, packs);
    }

    /** The same path, below which linear layers multiply in 8 bits: faster on CPUs as well, and not as exact. */
    public Weights multipliedInEightBits() {
        return new Weights(root, path, Matrices.MULTIPLIED_IN_8_BITS, packs);
    }

    /**
     * The same path, below which convolutions have {@linkplain PackedKernel packed kernels}, where their type, device and this machine have
     * that: faster, for running on inputs of one size, not for training.
     */
    public Weights forRunning() {
        return new Weights(root, path, matrices, root.packable);
    }

    /** The same path, below which matrices are as they were asked for. */
    public Weights exact() {
        return new Weights(root, path, Matrices.AS_ASKED, packs);
    }

    /** Whether linear layers are to ask for {@link #getInt8}. */
    public boolean hasEightBits() {
        return matrices == Matrices.HELD_IN_8_BITS;
    }

    /** Whether linear layers are to ask for {@link #getPacked}. */
    public boolean multipliesInEightBits() {
        return matrices == Matrices.MULTIPLIED_IN_8_BITS;
    }

    /** Whether anything lies below {@code name}; always so for fresh weights. */
    public boolean has(String name) {
        return root.fresh || root.names.stream().anyMatch(n -> n.startsWith(path + name + "."));
    }

    /** A parameter that only a checkpoint can give. */
    public Tensor get(String name, long... shape) {
        return get(name, Init.ZEROS, shape);
    }

    /**
     * The parameter {@code name} of {@code shape}; {@code init} makes it where there is no checkpoint. Owned by this object, which
     * hands out the same one when asked again: tied weights.
     */
    public Tensor get(String name, Init init, long... shape) {
        return get(name, init, shape, AS_STORED);
    }

    /** As {@link #get}, laid out channels last, which convolutions are fast in. */
    public Tensor getChannelsLast(String name, Init init, long... shape) {
        return get(name, init, shape, Tensor::channelsLast);
    }

    private Tensor get(String name, Init init, long[] shape, UnaryOperator<Tensor> layout) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor x = root.parameters.computeIfAbsent(path + name, full -> root.origin.make(full, init, shape, layout).retain());
            if (!Arrays.equals(x.shape(), shape)) {
                throw new IllegalArgumentException(path + name + " was handed out as " + Arrays.toString(x.shape()) + ", it cannot also be "
                        + Arrays.toString(shape));
            }
            return x;
        }
    }

    /**
     * The matrix {@code name} (out, in) in whole numbers of int8, and the scale (out) that each row is to be multiplied by: its largest
     * number over 127.
     */
    public Tensor[] getInt8(String name, long out, long in) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            String full = path + name;
            Tensor x = root.origin.make(full, Init.fanIn(in), new long[] {out, in}, UnaryOperator.identity()).to(DType.F32);
            Tensor scale = x.abs().amax(true, 1).clamp_(Float.MIN_NORMAL, Float.MAX_VALUE).mul_(1 / LARGEST_INT8);
            root.parameters.put(full, x.div(scale).round().to(DType.I8).retain());
            root.parameters.put(full + SCALE, scale.squeeze(1).retain());
            return new Tensor[] {root.parameters.get(full), root.parameters.get(full + SCALE)};
        }
    }

    /** The matrix {@code name} (out, in) with {@code bias} (out), or none, for products in 8 bits. */
    public PackedMatrix getPacked(String name, long out, long in, Tensor... bias) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor x = root.origin.make(path + name, Init.fanIn(in), new long[] {out, in}, UnaryOperator.identity());
            // What does not fit is reported when the network is built, and need not be packed.
            PackedMatrix packed = root.problems.isEmpty() ? PackedMatrix.of(x, bias) : PackedMatrix.of(Tensor.zeros(1, 1));
            root.packed.put(path + name, packed::close);
            return packed;
        }
    }

    /** Whether convolutions are to ask for {@link #getPackedKernel}. */
    public boolean packsKernels() {
        return packs;
    }

    /** The kernel {@code name} (out, in, size, size) of a convolution that only runs. */
    public PackedKernel getPackedKernel(String name, long stride, long padding, long... shape) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor x = root.origin.make(path + name, Init.ZEROS, shape, Tensor::channelsLast);
            PackedKernel kernel = new PackedKernel(x, stride, padding);
            root.packed.put(path + name, kernel::close);
            return kernel;
        }
    }

    /** Everything handed out but for packed matrices and kernels, under its name in the checkpoint. */
    public Map<String, Tensor> parameters() {
        return Collections.unmodifiableMap(root.parameters);
    }

    /** Number of elements handed out, packed matrices and kernels left out. */
    public long count() {
        return root.parameters.values().stream().mapToLong(Tensor::numel).sum();
    }

    /**
     * Builds a network from these weights and checks it against the whole file.
     *
     * @param extras names that the file may have besides, such as buffers of a training framework
     * @throws CheckpointException listing every missing, unexpected and mis-shaped tensor
     */
    public <M> M build(Function<Weights, M> network, Predicate<String> extras) {
        try {
            M model = network.apply(this);
            check(extras);
            return model;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void check(Predicate<String> extras) {
        List<String> problems = new ArrayList<>(root.problems);
        root.names.stream().filter(name -> !root.parameters.containsKey(name) && !root.packed.containsKey(name) && !extras.test(name))
                .forEach(name -> problems.add("unexpected " + SafeTensorsHeader.shown(name)));
        if (!problems.isEmpty()) {
            throw new CheckpointException(root.description + ": " + problems.size()
                    + (problems.size() == 1 ? " tensor does" : " tensors do")
                    + " not fit the config: " + String.join("; ", problems));
        }
    }

    @Override
    public void close() {
        root.parameters.values().forEach(Tensor::close);
        root.parameters.clear();
        root.packed.values().forEach(Runnable::run);
        root.packed.clear();
    }
}
