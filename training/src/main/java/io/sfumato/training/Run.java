package io.sfumato.training;

import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where a training keeps its files, who is told of its steps, and the processes that share its batches, which see the same folder. */
record Run(Path folder, Progress progress, ProcessGroup group) {
    /** Names that {@link io.sfumato.io.FileWrite} and {@link io.sfumato.io.SafeTensors} write under. */
    private static final Pattern HALF = Pattern.compile("\\..+\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.part|.+\\.safetensors\\.part");

    Run(Path folder, Progress progress) {
        this(folder, progress, ProcessGroup.alone());
    }

    /** Beginning or going on: what a process that was killed has left of files that are written beside their place is removed. */
    static Run in(Path folder, Progress progress, ProcessGroup group) {
        Run run = new Run(folder, progress, group);
        if (run.isFirst() && Files.isDirectory(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(file -> HALF.matcher(file.getFileName().toString()).matches()).toList()) {
                    Files.delete(file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(folder + ": what is left of a killed run cannot be removed: " + e.getMessage(), e);
            }
        }
        return run;
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    /** Whether this is the process that writes. */
    boolean isFirst() {
        return group.rank() == 0;
    }

    /** Has the first process do what is to be done once; the others wait until it is done, however long that takes. */
    void once(Runnable work) {
        if (group.size() == 1) {
            work.run();
        } else if (isFirst()) {
            CountDownLatch done = new CountDownLatch(1);
            Thread beat = new Thread(() -> beat(done), "waiting");
            beat.start();
            try {
                work.run();
            } finally {
                done.countDown();
                join(beat);
            }
        } else {
            while (sum(0) > 0) {
                // Another second.
            }
        }
    }

    // The group loses patience with who is silent for minutes: the others hear each second that there is work still.
    private void beat(CountDownLatch done) {
        try {
            while (!done.await(1, TimeUnit.SECONDS)) {
                sum(1);
            }
            sum(0);
        } catch (InterruptedException | IllegalStateException e) {
            // Where a process is gone, the next step says so.
            Thread.currentThread().interrupt();
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while other processes were told", e);
        }
    }

    /** The sum of all processes' {@code x}. */
    double sum(double x) {
        try (Scope scope = new Scope()) {
            return group.allReduce(Tensor.of(new double[] {x}, 1)).item();
        }
    }
}
