package io.sfumato.training;

import io.sfumato.tensor.Engine;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Splits each batch among threads of one operator thread each: small operators spend less time waiting for each other than when
 * two threads share every one of them. Gradients meet in the shared parameters.
 */
public final class Shards implements AutoCloseable {
    /** What comes of {@code count} examples from {@code from} on: for training their mean loss, that gradients flow from. */
    @FunctionalInterface
    public interface Loss {
        Tensor of(int from, int count);
    }

    private final int threadsBefore = Engine.threads();
    private final int parts;
    private final ProcessGroup group;
    private final int shards;
    private final ExecutorService workers;

    /** Until closed, operators run on one thread each and {@code batch} examples are split among as many threads as the engine had. */
    public Shards(int batch) {
        this(batch, 1, ProcessGroup.alone());
    }

    /** For the batches of a loop, in as many parts as it says, shared among the run's processes. */
    Shards(Run run, Recipe.Loop loop) {
        this(loop.batch(), loop.accumulate(), run.group());
    }

    /**
     * The same, where {@link #backward} works through this process's share of a batch in {@code parts}, one after the other: no more than
     * one is in memory.
     */
    Shards(int batch, int parts, ProcessGroup group) {
        if (batch < parts * group.size()) {
            throw new IllegalArgumentException("a batch of " + batch + " cannot be shared among " + group.size() + " processes in " + parts
                    + " parts each: a batch of " + parts * group.size() + " or more is wanted");
        }
        this.parts = parts;
        this.group = group;
        shards = Math.min(threadsBefore, batch / group.size() / parts);
        Engine.setThreads(1);
        workers = Executors.newFixedThreadPool(shards, task -> {
            Thread thread = new Thread(task, "shard");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Adds the gradients of the mean loss over {@code batch} examples to the parameters and returns that loss; each of several processes
     * adds those of its share, which sum up to them.
     */
    public double backward(int batch, Loss loss) {
        int first = batch * group.rank() / group.size(), share = batch * (group.rank() + 1) / group.size() - first;
        double sum = 0;
        for (int i = 0; i < parts; i++) {
            int from = share * i / parts;
            sum += backward(first + from, share * (i + 1) / parts - from, batch, loss);
        }
        try (Scope scope = new Scope()) {
            return group.allReduce(Tensor.of(new double[] {sum}, 1)).item();
        }
    }

    private double backward(int first, int size, int batch, Loss loss) {
        List<Future<Double>> losses = new ArrayList<>();
        for (int i = 0; i < shards; i++) {
            int from = first + size * i / shards, count = first + size * (i + 1) / shards - from;
            losses.add(workers.submit(() -> {
                try (Scope scope = new Scope()) {
                    Tensor part = loss.of(from, count).mul((double) count / batch);
                    part.backward();
                    return part.item();
                }
            }));
        }
        return losses.stream().mapToDouble(Shards::result).sum();
    }

    /** What {@code work} makes of a batch, joined along the first dimension, without gradients. */
    public Tensor rows(int batch, Loss work) {
        List<Future<Tensor>> parts = new ArrayList<>();
        for (int i = 0; i < shards; i++) {
            int from = batch * i / shards, count = batch * (i + 1) / shards - from;
            parts.add(workers.submit(() -> {
                try (Scope scope = new Scope(); NoGrad noGrad = new NoGrad()) {
                    return work.of(from, count).retain();
                }
            }));
        }
        Tensor[] rows = parts.stream().map(Shards::result).toArray(Tensor[]::new);
        Tensor all = Tensor.cat(0, rows);
        for (Tensor part : rows) {
            part.close();
        }
        return all;
    }

    private static <T> T result(Future<T> part) {
        try {
            return part.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted in a training step", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a training step failed: " + Engine.firstLine(e.getCause()), e.getCause());
        }
    }

    @Override
    public void close() {
        workers.shutdownNow();
        Engine.setThreads(threadsBefore);
    }
}
