package io.sfumato.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.JsonFile;
import io.sfumato.io.TensorSource;
import io.sfumato.text.ClipTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A model in the layout of diffusers: {@code model_index.json} and a folder for each component. */
record DiffusersFolder(Path path) implements ModelLayout {
    private static final List<String> STEMS = List.of("diffusion_pytorch_model", "model", "pytorch_model");
    /** Full precision before halves, then the weights without averaging; safetensors before pickles. */
    private static final List<String> ENDINGS = List.of(
            ".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json",
            ".fp16.safetensors", ".safetensors.index.fp16.json", ".fp16.bin", ".bin.index.fp16.json",
            ".non_ema.safetensors", ".safetensors.index.non_ema.json", ".non_ema.bin", ".bin.index.non_ema.json");

    DiffusersFolder {
        if (!Files.isDirectory(path)) {
            throw new CheckpointException(path + ": there is no such model folder");
        }
        if (!Files.exists(path.resolve("model_index.json"))) {
            throw new CheckpointException(path + ": no model folder: there is no model_index.json in it");
        }
    }

    @Override
    public String pipeline() {
        return JsonFile.read(path.resolve("model_index.json")).path("_class_name").asText();
    }

    @Override
    public ConfigJson config(String component) {
        return ConfigJson.read(folder(component).resolve("config.json"));
    }

    @Override
    public ObjectNode scheduler(String component) {
        return (ObjectNode) JsonFile.read(folder(component).resolve("scheduler_config.json"));
    }

    @Override
    public ClipTokenizer tokenizer() {
        return ClipTokenizer.load(folder("tokenizer"));
    }

    @Override
    public void copyTokenizer(Path to) {
        try (Stream<Path> files = Files.list(folder("tokenizer"))) {
            Files.createDirectories(to);
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(to + ": the tokenizer cannot be copied: " + e.getMessage(), e);
        }
    }

    @Override
    public Path folder(String component) {
        Path folder = path.resolve(component);
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(path + ": the component '" + component + "' is missing: there is no folder " + folder);
        }
        return folder;
    }

    @Override
    public TensorSource weights(String component) {
        return weightsIn(folder(component));
    }

    /** Those in the folder of a single network. */
    static TensorSource weightsIn(Path folder) {
        for (String ending : ENDINGS) {
            for (String stem : STEMS) {
                Path file = folder.resolve(stem + ending);
                if (Files.exists(file)) {
                    return TensorSource.open(file);
                }
            }
        }
        throw new CheckpointException(folder + ": no weights: there is no " + STEMS.get(0) + ".safetensors, " + STEMS.get(1)
                + ".safetensors, nor a variant, a .bin or an index of either");
    }

    @Override
    public List<String> notes() {
        return List.of();
    }
}
