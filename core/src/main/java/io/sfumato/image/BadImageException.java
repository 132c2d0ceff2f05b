package io.sfumato.image;

/** A picture file is damaged, cut off, of an unknown kind or too large: one line that begins with its name. */
public final class BadImageException extends IllegalArgumentException {
    BadImageException(String message) {
        super(message);
    }
}
