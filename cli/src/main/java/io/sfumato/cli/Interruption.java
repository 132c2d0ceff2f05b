package io.sfumato.cli;

import io.sfumato.Cancelled;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Ctrl-C while a command works. The process waits a moment for the work to stop by itself, since native threads are better not cut
 * off, and never ends between the first byte of a file and its last.
 */
final class Interruption implements AutoCloseable {
    private static final int SECONDS = 5;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private final ReentrantLock files = new ReentrantLock();
    private final Thread hook = new Thread(this::interrupted, "interruption");
    private volatile boolean wanted;

    Interruption() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void interrupted() {
        wanted = true;
        try {
            if (!stopped.await(SECONDS, TimeUnit.SECONDS)) {
                // Held for good: no further file is begun.
                files.lock();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @throws Cancelled once the user has interrupted the command */
    void check() {
        if (wanted) {
            throw new Cancelled();
        }
    }

    /** Writes files: an interruption comes before the first of them, or after the last. */
    void writing(Runnable write) {
        files.lock();
        try {
            check();
            write.run();
        } finally {
            files.unlock();
        }
    }

    @Override
    public void close() {
        stopped.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException ending) {
            // The process is ending: the hook runs already, and has just heard that the work has stopped.
        }
    }
}
