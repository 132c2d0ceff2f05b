package io.sfumato.io;

/**
 * A checkpoint, or a part of a model folder, that cannot be used: its one line names the file, the tensor or key, and what would be
 * right.
 */
public final class CheckpointException extends RuntimeException {
    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
