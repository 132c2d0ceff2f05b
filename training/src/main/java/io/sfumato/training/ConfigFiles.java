package io.sfumato.training;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.io.FileWrite;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes the small files of a model's folder, and the folders that they are in. */
final class ConfigFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ConfigFiles() {
    }

    static void json(Path file, Map<String, Object> values) {
        text(file, JSON.valueToTree(values).toPrettyString() + "\n");
    }

    static void text(Path file, String content) {
        create(file.getParent());
        FileWrite.whole(file, content);
    }

    /** Says which nouns a model learnt, so that it is only asked for those ({@code nouns.txt}, one a line); nothing if it learnt all. */
    static void nouns(Path model, List<String> nouns) {
        if (!nouns.isEmpty()) {
            text(model.resolve("nouns.txt"), String.join("\n", nouns) + "\n");
        }
    }

    static void create(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be made: " + e.getMessage(), e);
        }
    }
}
