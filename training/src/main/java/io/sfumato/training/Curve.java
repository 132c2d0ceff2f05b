package io.sfumato.training;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** Appends one line of numbers a step to a CSV file. */
final class Curve implements AutoCloseable {
    private final PrintWriter out;

    Curve(Path file, String... columns) {
        try {
            boolean fresh = !Files.exists(file);
            out = new PrintWriter(Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND), true);
            if (fresh) {
                out.println(String.join(",", columns));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    void add(long step, double... values) {
        StringBuilder line = new StringBuilder().append(step);
        for (double value : values) {
            line.append(String.format(Locale.ROOT, ",%.6g", value));
        }
        out.println(line);
    }

    @Override
    public void close() {
        out.close();
    }
}
