package io.sfumato.io;

/** Why a tensor cannot be had though its file is sound: a clause to follow its name. */
final class UnreadableTensor extends RuntimeException {
    UnreadableTensor(String message) {
        super(message, null, false, false);
    }
}
