package io.sfumato.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What reads a kind of file.
 *
 * @param name   for the report
 * @param seeds  sound files
 * @param spoil  makes another file of the bytes of a sound one
 * @param taking reads a file, to the last byte if it is accepted
 */
record Reader(String name, List<Path> seeds, Spoil spoil, Taking taking) {
    /** Spoils {@code whole}, the bytes of a file that was called {@code name}. */
    @FunctionalInterface
    interface Spoil {
        byte[] apply(Mutation mutation, byte[] whole, String name) throws IOException;
    }

    /** Reads {@code file}, made from one that was called {@code name}. */
    @FunctionalInterface
    interface Taking {
        void read(Path file, String name) throws IOException;
    }
}
