package io.sfumato.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads the JSON files of a model folder. */
public final class JsonFile {
    // Python writes infinities bare: "lambda_min_clipped": -Infinity in scheduler configs.
    private static final ObjectMapper JSON = JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

    private JsonFile() {
    }

    /** An object without keys. */
    public static JsonNode empty() {
        return JSON.createObjectNode();
    }

    /** The object in {@code file}. */
    public static JsonNode read(Path file) {
        try {
            JsonNode node = JSON.readTree(Files.readAllBytes(file));
            if (!node.isObject()) {
                throw new CheckpointException(file + ": a JSON object is wanted");
            }
            return node;
        } catch (NoSuchFileException e) {
            throw new CheckpointException(file + ": there is no such file");
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + ": no JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""));
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
