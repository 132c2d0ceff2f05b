package io.sfumato.training;

import io.sfumato.io.FileWrite;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Appends one line of numbers a step to a CSV file. */
final class Curve implements AutoCloseable {
    private final PrintWriter out;

    /** Goes on at step {@code from}: what an interrupted run wrote after its last checkpoint is taken back. */
    Curve(Path file, long from, String... columns) {
        try {
            List<String> lines = new ArrayList<>(List.of(String.join(",", columns)));
            if (Files.exists(file)) {
                Files.readAllLines(file).stream().skip(1).limit(from).forEach(lines::add);
            }
            FileWrite.whole(file, String.join("\n", lines) + "\n");
            out = new PrintWriter(Files.newBufferedWriter(file, StandardOpenOption.APPEND), true);
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
