package io.sfumato.tensor;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;

/**
 * Processes that work on one thing together, on one machine or several, over torch's Gloo. Each has a rank, from 0 on. All call the
 * same operations in the same order, with tensors of the same shape and type on the CPU; a call returns when all have taken part.
 * Gradients are not recorded through them. One thread at a time.
 */
public final class ProcessGroup implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    static {
        Engine.load();
    }

    private final int rank;
    private final int size;
    private final List<TCPStore> store;
    private final List<ProcessGroupGloo> gloo;      // one, or none in a group of one

    private ProcessGroup(int rank, int size, List<TCPStore> store, List<ProcessGroupGloo> gloo) {
        this.rank = rank;
        this.size = size;
        this.store = store;
        this.gloo = gloo;
    }

    /** This process by itself: every operation leaves things as they are. */
    public static ProcessGroup alone() {
        return new ProcessGroup(0, 1, List.of(), List.of());
    }

    /**
     * Waits until all {@code size} processes have joined, five minutes at most.
     *
     * @param address where the process with rank 0 listens, such as {@code localhost:29500}
     * @throws IllegalArgumentException when rank, size or address make no sense
     * @throws IllegalStateException    when the address is taken, or not all have come
     */
    public static ProcessGroup join(int rank, int size, String address) {
        return join(rank, size, address, PATIENCE);
    }

    static ProcessGroup join(int rank, int size, String address, Duration patience) {
        if (rank < 0 || rank >= size) {
            throw new IllegalArgumentException("rank " + rank + " in a group of " + size + ": ranks go from 0 to " + (size - 1));
        }
        if (!address.matches(".+:\\d{1,5}") || port(address) > 65535) {
            throw new IllegalArgumentException("'" + address + "' is no address: HOST:PORT is wanted, such as localhost:29500");
        }
        if (size == 1) {
            return alone();
        }
        String host = address.substring(0, address.lastIndexOf(':'));
        try (var scope = new PointerScope()) {
            var wait = new Milliseconds(patience.toMillis());
            // No machine but this one is asked when the address is here: its own name may lead nowhere.
            var device = host.equals("localhost") || host.startsWith("127.") ? ProcessGroupGloo.createDeviceForHostname("127.0.0.1")
                    : ProcessGroupGloo.createDefaultDevice();
            var meeting = new TCPStoreOptions().port((short) port(address)).isServer(rank == 0).waitWorkers(false).timeout(wait);
            TCPStore store = told(rank == 0 ? "cannot listen at " + address : "nobody with rank 0 listens at " + address,
                    () -> new TCPStore(host, meeting));
            var options = ProcessGroupGloo.Options.create(wait).devices(new GlooDeviceVector(device));
            ProcessGroupGloo gloo = told("not all of " + size + " processes came to " + address,
                    () -> new ProcessGroupGloo(store, rank, size, options));
            store.retainReference();
            gloo.retainReference();
            return new ProcessGroup(rank, size, List.of(store), List.of(gloo));
        }
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    /**
     * The group that torchrun's variables tell of: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; {@link #alone} without WORLD_SIZE.
     *
     * @throws IllegalArgumentException naming the variable that is missing or no number
     */
    public static ProcessGroup of(Map<String, String> environment) {
        if (!environment.containsKey("WORLD_SIZE")) {
            return alone();
        }
        return join(number(environment, "RANK"), number(environment, "WORLD_SIZE"),
                environment.getOrDefault("MASTER_ADDR", "localhost") + ":" + environment.getOrDefault("MASTER_PORT", "29500"));
    }

    private static int number(Map<String, String> environment, String name) {
        String value = environment.getOrDefault(name, "");
        if (!value.matches("\\d{1,6}")) {
            throw new IllegalArgumentException("the environment has WORLD_SIZE, and " + name + " is '" + value
                    + "': a whole number is wanted");
        }
        return Integer.parseInt(value);
    }

    public int rank() { return rank; }
    public int size() { return size; }

    /** Writes the sum of all processes' {@code x} over {@code x}: the same bits in each process. */
    public Tensor allReduce(Tensor x) {
        gloo.forEach(g -> run("allReduce of " + x, () -> g.allreduce(new TensorVector(x.raw()))));
        return x;
    }

    /** Writes the {@code x} of the process with rank {@code root} over {@code x}. */
    public Tensor broadcast(Tensor x, int root) {
        if (root < 0 || root >= size) {
            throw new IllegalArgumentException("broadcast from rank " + root + " in a group of " + size + ": ranks go from 0 to "
                    + (size - 1));
        }
        gloo.forEach(g -> run("broadcast of " + x, () -> g.broadcast(new TensorVector(x.raw()), new BroadcastOptions().rootRank(root))));
        return x;
    }

    /** All processes' {@code x}, one after the other along {@code dim}, in the order of their ranks. */
    public Tensor allGather(Tensor x, int dim) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor part = x.reshape(x.numel()), all = part.repeat(size);                                    // (n), (P n)
            gloo.forEach(g -> run("allGather of " + x, () -> g._allgather_base(all.raw(), part.raw())));
            return scope.keep(Tensor.cat(dim, IntStream.range(0, size)
                    .mapToObj(i -> all.narrow(0, i * x.numel(), x.numel()).view(x.shape())).toArray(Tensor[]::new)));
        }
    }

    /** Returns when every process has come here. */
    public void barrier() {
        gloo.forEach(g -> run("barrier", g::barrier));
    }

    private void run(String what, Supplier<Work> work) {
        try (var scope = new PointerScope()) {
            told(what + " among " + size + " processes, in that with rank " + rank, () -> work.get()._wait());
        }
    }

    /** The engine's errors name sockets and C++ frames: first what could not be done, in our words. */
    private static <T> T told(String what, Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            throw new IllegalStateException(what + ": " + Engine.firstLine(e), e);
        }
    }

    @Override
    public void close() {
        gloo.forEach(ProcessGroupGloo::releaseReference);
        store.forEach(TCPStore::releaseReference);
    }
}
