package io.sfumato.training.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Text files of data sets, read line by line, with errors that name the file and the line. */
record Lines(Path file, List<String> lines) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Lines of(Path file) {
        try {
            return new Lines(file, Files.readAllLines(file));
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(file + ": there is no such file", e);
        } catch (MalformedInputException e) {
            throw new IllegalArgumentException(file + ": the text is not UTF-8", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    IllegalArgumentException bad(int line, String reason) {
        return new IllegalArgumentException(file + ": line " + (line + 1) + ": " + reason);
    }

    int count() {
        return lines.size();
    }

    boolean isBlank(int line) {
        return lines.get(line).isBlank();
    }

    /** The two parts of a line such as {@code 12 images/bird.jpg}. */
    String[] pair(int line) {
        String[] parts = lines.get(line).strip().split("\\s+", 2);
        if (parts.length < 2) {
            throw bad(line, "'" + lines.get(line) + "' where a number and a name are wanted");
        }
        return parts;
    }

    /** The lines that are not blank, without what surrounds them. */
    List<String> texts() {
        List<String> texts = lines.stream().map(String::strip).filter(l -> !l.isEmpty()).toList();
        if (texts.isEmpty()) {
            throw new IllegalArgumentException(file + ": no captions in it");
        }
        return texts;
    }

    /** A line as a JSON object. */
    JsonNode json(int line) {
        try {
            JsonNode node = JSON.readTree(lines.get(line));
            if (!node.isObject()) {
                throw bad(line, "a JSON object is wanted");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw bad(line, "no JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""));
        }
    }

    /** A text in a line's JSON object. */
    String text(int line, JsonNode node, String key) {
        if (!node.path(key).isTextual()) {
            throw bad(line, "no text under '" + key + "'; its keys are " + String.join(", ", (Iterable<String>) node::fieldNames));
        }
        return node.path(key).textValue();
    }
}
