package io.sfumato.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.io.JsonFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder of the folders of DeepFloyd IF's stages, or of Kandinsky's prior and decoder. */
final class Cascade {
    private static final String INDEX = "model_index.json";

    private Cascade() {
    }

    /** The stages in {@code folder}, the smallest first and other models after them; none for a model, or what is none. */
    static List<Path> stages(Path folder) {
        if (!Files.isDirectory(folder) || Files.exists(folder.resolve(INDEX))) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            List<Path> models = entries.filter(entry -> Files.exists(entry.resolve(INDEX)))
                    .sorted(Comparator.comparing(Cascade::isStage)
                    .reversed().thenComparing(Cascade::size).thenComparing(Path::toString)).toList();
            return models.stream().anyMatch(Cascade::isStage) ? models : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static boolean isStage(Path model) {
        String pipeline = JsonFile.read(model.resolve(INDEX)).path("_class_name").asText();
        return pipeline.startsWith("IF") || pipeline.startsWith("Kandinsky");
    }

    private static int size(Path model) {
        Path config = model.resolve("unet").resolve("config.json");
        JsonNode size = Files.exists(config) ? JsonFile.read(config).path("sample_size") : JsonFile.read(model.resolve(INDEX)).path("none");
        return size.asInt();
    }
}
