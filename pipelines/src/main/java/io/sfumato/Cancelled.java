package io.sfumato;

/** Thrown by a {@link Listener} to end a generation; nothing is written. */
public final class Cancelled extends RuntimeException {
    public Cancelled() {
        super("cancelled");
    }
}
