package io.sfumato.cli;

import io.sfumato.image.ImageFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** The files that a command is to write: chosen and looked at before it begins to work. */
final class Targets {
    private Targets() {
    }

    /** NAME, or NAME-1 ... NAME-count; the ending must be one of a picture. */
    static List<Path> pictures(Path name, int count) {
        ImageFormat.of(name);
        if (count == 1) {
            return List.of(name);
        }
        String file = name.getFileName().toString();
        int dot = file.lastIndexOf('.');
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> name.resolveSibling(file.substring(0, dot) + "-" + i + file.substring(dot))).toList();
    }

    /** {@code sfumato-SEED.png}, or with _2, _3 ... behind it: pictures that are there already stay. */
    static List<Path> unnamed(long seed, int count) {
        List<Path> files = pictures(Path.of("sfumato-" + seed + ".png"), count);
        for (int i = 2; files.stream().anyMatch(Files::exists); i++) {
            files = pictures(Path.of("sfumato-" + seed + "_" + i + ".png"), count);
        }
        return files;
    }

    /** @throws UncheckedIOException if no file can be put at {@code file} */
    static void requireWritable(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file)) {
            throw cannot(file, "it is a folder");
        }
        if (!Files.isDirectory(folder)) {
            throw cannot(file, "there is no folder " + folder);
        }
        if (!Files.isWritable(folder)) {
            throw cannot(file, "the folder " + folder + " is read-only");
        }
    }

    private static UncheckedIOException cannot(Path file, String why) {
        String line = file + ": cannot write: " + why;
        return new UncheckedIOException(line, new IOException(line));
    }
}
