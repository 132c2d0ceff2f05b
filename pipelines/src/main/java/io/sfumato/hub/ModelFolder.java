package io.sfumato.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.ShardedTensors;
import io.sfumato.io.TensorSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A model in the layout of diffusers: {@code model_index.json} and a folder for each component. */
public record ModelFolder(Path path) {
    private static final List<String> STEMS = List.of("diffusion_pytorch_model", "model");
    private static final List<String> ENDINGS = List.of(
            ".safetensors", ".safetensors.index.json", ".fp16.safetensors", ".safetensors.index.fp16.json");

    public ModelFolder {
        if (!Files.isDirectory(path)) {
            throw new CheckpointException(path + (Files.exists(path) ? ": a file, where a model folder is wanted"
                    : ": there is no such model folder"));
        }
        if (!Files.exists(path.resolve("model_index.json"))) {
            throw new CheckpointException(path + ": no model folder: there is no model_index.json in it");
        }
    }

    /** The pipeline class that the folder was saved from, such as {@code StableDiffusionPipeline}. */
    public String pipeline() {
        return index().path("_class_name").asText();
    }

    private JsonNode index() {
        return JsonFile.read(path.resolve("model_index.json"));
    }

    /** The {@code config.json} of a component. */
    public ConfigJson config(String component) {
        return ConfigJson.read(folder(component).resolve("config.json"));
    }

    /** A component's folder. */
    public Path folder(String component) {
        Path folder = path.resolve(component);
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(path + ": the component '" + component + "' is missing: there is no folder " + folder);
        }
        return folder;
    }

    /** Opens a component's weights: one file or shards, in full precision where the folder has it, else in float16. */
    public TensorSource weights(String component) {
        Path folder = folder(component);
        for (String ending : ENDINGS) {
            for (String stem : STEMS) {
                Path file = folder.resolve(stem + ending);
                if (Files.exists(file)) {
                    return ending.endsWith(".json") ? ShardedTensors.open(file) : SafeTensors.open(file);
                }
            }
        }
        throw new CheckpointException(folder + ": no weights: there is no " + STEMS.get(0) + ".safetensors, " + STEMS.get(1)
                + ".safetensors, nor a variant or an index of either");
    }
}
