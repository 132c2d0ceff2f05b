package io.sfumato;

import java.util.Locale;

/** A run that is predicted not to fit into memory, found before it starts. */
public final class NotEnoughMemory extends RuntimeException {
    /** @param what such as {@code "1 picture of 512x512"} */
    public NotEnoughMemory(String what, long needed, long available) {
        super("not enough memory: " + what + " needs about " + gib(needed) + " GiB, " + gib(available)
                + " GiB are available; a smaller size or fewer pictures at once need less");
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / (double) (1L << 30));
    }
}
