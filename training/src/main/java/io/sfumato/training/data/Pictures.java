package io.sfumato.training.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Picture files of data sets. */
final class Pictures {
    private static final List<String> ENDINGS = List.of(".jpg", ".jpeg", ".png", ".webp");

    private Pictures() {
    }

    static boolean is(String name) {
        return ENDINGS.stream().anyMatch(name.toLowerCase(Locale.ROOT)::endsWith);
    }

    /** The file {@code name} in {@code folder}; a name that leads out of it is an error. */
    static Path within(Path folder, String name) {
        Path file = folder.resolve(name).normalize();
        if (!file.startsWith(folder.normalize())) {
            throw new IllegalArgumentException(folder + ": the picture '" + name + "' lies outside of the folder");
        }
        return file;
    }

    /** The first of {@code stems} with any picture's ending that is in {@code folder}. */
    static Path find(Path folder, String... stems) {
        return Stream.of(stems).flatMap(stem -> ENDINGS.stream().map(ending -> within(folder, stem + ending))).filter(Files::exists)
                .findFirst().orElseThrow(() -> new IllegalArgumentException(folder + ": no picture " + stems[0] + " ("
                        + String.join(", ", ENDINGS) + ")"));
    }
}
