package io.sfumato.image;

/** A picture file that cannot be read: damaged, cut off, of an unknown kind or too large. The message is one line that begins with its name. */
public final class BadImageException extends IllegalArgumentException {
    BadImageException(String message) {
        super(message);
    }
}
