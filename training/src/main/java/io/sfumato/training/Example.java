package io.sfumato.training;

/** A captioned picture: RGB bytes (0 to 255 unsigned), row by row, size * size * 3 of them. */
public record Example(int size, byte[] pixels, String caption) {
    /** Captioned pictures without end, each the same whenever its seed is asked for. */
    @FunctionalInterface
    public interface Source {
        Example example(long seed);
    }
}
