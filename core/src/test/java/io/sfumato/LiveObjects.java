package io.sfumato;

import io.sfumato.tensor.Scope;

/** Counts native objects for tests that nothing is left behind. */
public final class LiveObjects {
    private static final int QUIET = 3;

    private LiveObjects() {
    }

    /**
     * {@link Scope#live()} once the garbage collector has freed what earlier tests forgot: what it frees later would be taken off the
     * count of the test that asks.
     */
    public static long settled() {
        long live = Scope.live();
        for (int quiet = 0; quiet < QUIET; ) {
            System.gc();
            try {
                Thread.sleep(5);    // the engine's own thread frees what the collector found
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            quiet = Scope.live() == live ? quiet + 1 : 0;
            live = Scope.live();
        }
        return live;
    }
}
