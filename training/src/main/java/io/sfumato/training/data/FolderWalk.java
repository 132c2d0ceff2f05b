package io.sfumato.training.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The files below a folder. */
final class FolderWalk {
    private FolderWalk() {
    }

    /** Those with one of the endings, sorted. */
    static List<Path> files(Path folder, String... endings) {
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(folder + ": there is no such folder");
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .filter(f -> Stream.of(endings).anyMatch(f.getFileName().toString().toLowerCase(Locale.ROOT)::endsWith))
                    .sorted().toList();
        } catch (IOException e) {
            throw new IllegalArgumentException(folder + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
