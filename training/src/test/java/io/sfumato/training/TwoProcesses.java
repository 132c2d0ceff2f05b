package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.tensor.ProcessGroup;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** A training that two ranks share, each in a thread of its own: for the engine they are strangers all the same. */
final class TwoProcesses {
    private TwoProcesses() {
    }

    /** Has both do {@code training}, each with its place in the group. */
    static void train(Consumer<ProcessGroup> training) throws Exception {
        String address;
        try (ServerSocket socket = new ServerSocket(0)) {
            address = "localhost:" + socket.getLocalPort();
        }
        ExecutorService threads = Executors.newFixedThreadPool(2);
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int rank = i;
            running.add(threads.submit(() -> {
                try (ProcessGroup group = ProcessGroup.join(rank, 2, address)) {
                    training.accept(group);
                }
            }));
        }
        for (Future<?> one : running) {
            one.get();
        }
        threads.shutdown();
    }

    /**
     * The losses of a stage in both runs are the same to 1e-5. One process is to have worked through the shares of two one after the other
     * ({@code accumulate: 2}): in others sums are rounded otherwise, and an optimizer may make a whole step of next to nothing.
     */
    static void assertSameLosses(Path run, Path other, String stage) throws IOException {
        assertThat(losses(run, stage)).as(stage).isNotEmpty().containsExactly(losses(other, stage), within(1e-5));
    }

    private static double[] losses(Path run, String stage) throws IOException {
        return Files.readAllLines(run.resolve(stage + ".csv")).stream().skip(1).mapToDouble(line -> Double.parseDouble(line.split(",")[1]))
                .toArray();
    }
}
