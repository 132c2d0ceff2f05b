package io.sfumato.training;

import io.sfumato.tensor.Tensor;
import io.sfumato.training.scenes.Scene;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/** Batches of scenes, or of other things made from a seed, in the order of their seeds, made ahead of their use on another thread. */
public final class SceneBatches<S> implements AutoCloseable {
    private static final int AHEAD = 4;

    private final LongFunction<S> scenes;
    private final int batch;
    private final ExecutorService painter = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "scenes");
        thread.setDaemon(true);
        return thread;
    });
    private final Deque<Future<List<S>>> ahead = new ArrayDeque<>();
    private long nextSeed;

    /** Batches of {@code batch} scenes, the first of them that of {@code firstSeed}. */
    public SceneBatches(LongFunction<S> scenes, int batch, long firstSeed) {
        this.scenes = scenes;
        this.batch = batch;
        this.nextSeed = firstSeed;
    }

    /** The next {@code batch} scenes. */
    public List<S> next() {
        while (ahead.size() < AHEAD) {
            long first = nextSeed;
            nextSeed += batch;
            ahead.add(painter.submit(() -> LongStream.range(first, first + batch).mapToObj(scenes).toList()));
        }
        try {
            return ahead.remove().get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while scenes were drawn", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a scene could not be drawn: " + e.getCause().getMessage(), e.getCause());
        }
    }

    /** Pictures (B, 3, S, S) in [-1, 1]. */
    public static Tensor pictures(List<Scene> scenes) {
        return pictures(scenes.get(0).size(), scenes.stream().map(Scene::pixels).toList());
    }

    /** The same of RGB bytes, row by row. */
    public static Tensor pictures(int size, List<byte[]> pictures) {
        int bytes = size * size * 3;
        float[] values = new float[pictures.size() * bytes];
        for (int i = 0; i < pictures.size(); i++) {
            byte[] pixels = pictures.get(i);
            for (int j = 0; j < bytes; j++) {
                values[i * bytes + j] = (pixels[j] & 255) / 127.5f - 1;
            }
        }
        // Already channels last in memory: the permuted view is what convolutions like best.
        return Tensor.of(values, pictures.size(), size, size, 3).permute(0, 3, 1, 2);
    }

    @Override
    public void close() {
        painter.shutdownNow();
    }
}
