package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
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

/**
 * A path into a checkpoint. A network's constructor asks for its tensors by their names in the file, with the shapes that its config
 * implies: {@code w.sub("conv_in").get("weight", ...)}. The same constructor reads a checkpoint ({@link #load}) or makes a fresh
 * network ({@link #init}). What was handed out is the list of parameters; {@link #build} checks it against the file.
 */
public final class Weights implements AutoCloseable {
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

    private interface Provider {
        Tensor get(String name, Init init, long[] shape);

        boolean has(String prefix);

        Set<String> names();
    }

    private record Root(String description, Provider provider, Map<String, Tensor> parameters, List<String> problems) {
    }

    private final Root root;
    private final String path;

    private Weights(Root root, String path) {
        this.root = root;
        this.path = path;
    }

    /**
     * Reads from {@code source}, floating-point tensors as {@code dtype} on {@code device}. Tensors that need no conversion share the
     * mapped file; the others are converted one at a time, so the checkpoint is never in memory twice. The source must outlive this.
     */
    public static Weights load(TensorSource source, DType dtype, Device device) {
        List<String> problems = new ArrayList<>();
        Provider provider = new Provider() {
            @Override
            public Tensor get(String name, Init init, long[] shape) {
                if (!source.names().contains(name)) {
                    problems.add("missing " + name + " " + Arrays.toString(shape));
                    return Tensor.zeros(shape);
                }
                long[] stored = source.shape(name);
                if (!Arrays.equals(stored, shape) && !isMatrixAsConvolution(stored, shape)) {
                    problems.add("wrong shape " + name + ": " + Arrays.toString(stored) + " where " + Arrays.toString(shape) + " is wanted");
                    return Tensor.zeros(shape);
                }
                Tensor x = source.get(name).view(shape);
                return (x.dtype().isFloating() && x.dtype() != dtype ? x.to(dtype) : x).to(device);
            }

            @Override
            public boolean has(String prefix) {
                return source.names().stream().anyMatch(n -> n.startsWith(prefix));
            }

            @Override
            public Set<String> names() {
                return source.names();
            }
        };
        return new Weights(new Root(source.description(), provider, new LinkedHashMap<>(), problems), "");
    }

    // Older VAEs and SD 1.x store 1x1 convolutions where newer ones have matrices, and the other way round.
    private static boolean isMatrixAsConvolution(long[] stored, long[] wanted) {
        long[] a = stored.length > wanted.length ? stored : wanted;
        long[] b = stored.length > wanted.length ? wanted : stored;
        return a.length == 4 && b.length == 2 && a[0] == b[0] && a[1] == b[1] && a[2] == 1 && a[3] == 1;
    }

    /** Makes fresh parameters, float32 on {@code device}, each requiring gradients. The same {@code rng} gives the same network. */
    public static Weights init(Rng rng, Device device) {
        Provider provider = new Provider() {
            @Override
            public Tensor get(String name, Init init, long[] shape) {
                return init.make(rng, shape).to(device).requiresGrad_(true);
            }

            @Override
            public boolean has(String prefix) {
                return true;
            }

            @Override
            public Set<String> names() {
                return Set.of();
            }
        };
        return new Weights(new Root("fresh weights", provider, new LinkedHashMap<>(), new ArrayList<>()), "");
    }

    /** The path {@code name} below this one. */
    public Weights sub(String name) {
        return new Weights(root, path + name + ".");
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

    /** Whether anything lies at or below {@code name}; always so for fresh weights. */
    public boolean has(String name) {
        return root.provider.has(path + name + ".");
    }

    /** A parameter that only a checkpoint can give. */
    public Tensor get(String name, long... shape) {
        return get(name, Init.ZEROS, shape);
    }

    /** The parameter {@code name} of {@code shape}; {@code init} makes it where there is no checkpoint. Owned by this object. */
    public Tensor get(String name, Init init, long... shape) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor x = root.provider.get(path + name, init, shape).retain();
            root.parameters.put(path + name, x);
            return x;
        }
    }

    /** As {@link #get}, laid out channels last, which convolutions are fast in. */
    public Tensor getChannelsLast(String name, Init init, long... shape) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor x = root.provider.get(path + name, init, shape);
            boolean trained = x.requiresGrad();
            Tensor y = x.detach().channelsLast().requiresGrad_(trained).retain();
            root.parameters.put(path + name, y);
            return y;
        }
    }

    /** Everything handed out, under its name in the checkpoint. */
    public Map<String, Tensor> parameters() {
        return Collections.unmodifiableMap(root.parameters);
    }

    /** Number of elements handed out. */
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
        M model = network.apply(this);
        List<String> problems = new ArrayList<>(root.problems);
        for (String name : root.provider.names()) {
            if (!root.parameters.containsKey(name) && !extras.test(name)) {
                problems.add("unexpected " + name);
            }
        }
        if (!problems.isEmpty()) {
            close();
            throw new CheckpointException(root.description + ": " + problems.size() + (problems.size() == 1 ? " tensor does" : " tensors do")
                    + " not fit the config: " + String.join("; ", problems));
        }
        return model;
    }

    @Override
    public void close() {
        root.parameters.values().forEach(Tensor::close);
        root.parameters.clear();
    }
}
