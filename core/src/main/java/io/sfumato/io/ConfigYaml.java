package io.sfumato.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads a YAML file, as research code keeps its models' sizes in, with the accessors of {@link ConfigJson}. */
public final class ConfigYaml {
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private ConfigYaml() {
    }

    public static ConfigJson read(Path file) {
        try {
            JsonNode node = YAML.readTree(Files.readAllBytes(file));
            if (!node.isObject()) {
                throw new CheckpointException(file + ": a YAML file of keys is wanted");
            }
            return new ConfigJson(file.toString(), node);
        } catch (NoSuchFileException e) {
            throw new CheckpointException(file + ": there is no such file");
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + ": no YAML: " + e.getOriginalMessage().lines().findFirst().orElse(""));
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
