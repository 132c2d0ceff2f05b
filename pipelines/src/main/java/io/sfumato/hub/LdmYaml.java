package io.sfumato.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.sfumato.io.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The training config of an ldm checkpoint, {@code NAME.yaml} beside it: it says what the tensors do not. Classes that it names are
 * names.
 *
 * @param file   empty where there is none
 * @param params {@code model.params}
 */
record LdmYaml(String file, JsonNode params) {
    /** The config beside a checkpoint. */
    static LdmYaml beside(Path checkpoint) {
        String name = checkpoint.getFileName().toString().replaceFirst("\\.[^.]*$", "");
        for (String ending : List.of(".yaml", ".yml")) {
            Path file = checkpoint.resolveSibling(name + ending);
            if (Files.exists(file)) {
                return read(file);
            }
        }
        return new LdmYaml("", MissingNode.getInstance());
    }

    private static LdmYaml read(Path file) {
        try {
            JsonNode params = new YAMLMapper().readTree(Files.readAllBytes(file)).path("model").path("params");
            if (!params.isObject()) {
                throw new CheckpointException(file + ": no config of latent diffusion: model.params is wanted in it");
            }
            return new LdmYaml(file.toString(), params);
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + ": no YAML: " + e.getOriginalMessage().lines().findFirst().orElse(""));
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    boolean isThere() {
        return !file.isEmpty();
    }

    /** {@code unet_config.params.num_heads} and the like. */
    private JsonNode at(String path) {
        JsonNode node = params;
        for (String step : path.split("\\.")) {
            node = node.path(step);
        }
        return node;
    }

    boolean has(String path) {
        return !at(path).isMissingNode() && !at(path).isNull();
    }

    String text(String path, String otherwise) {
        return has(path) ? at(path).asText() : otherwise;
    }

    double number(String path, double otherwise) {
        if (has(path) && !at(path).isNumber()) {
            throw new CheckpointException(file + ": key '" + path + "' is " + at(path) + ", where a number is wanted");
        }
        return has(path) ? at(path).doubleValue() : otherwise;
    }

    int integer(String path, int otherwise) {
        if (has(path) && !at(path).canConvertToInt()) {
            throw new CheckpointException(file + ": key '" + path + "' is " + at(path) + ", where a whole number is wanted");
        }
        return has(path) ? at(path).intValue() : otherwise;
    }

    /** @throws CheckpointException unless the key is missing or says what the tensors do */
    void require(String path, long found) {
        if (has(path) && at(path).asLong() != found) {
            throw new CheckpointException(file + ": key '" + path + "' is " + at(path) + ", the checkpoint beside it has " + found);
        }
    }
}
