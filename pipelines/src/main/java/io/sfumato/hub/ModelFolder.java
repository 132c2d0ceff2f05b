package io.sfumato.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.text.ClipTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A model: a folder in the layout of diffusers, with {@code model_index.json} and a folder for each component, a single file of
 * Stable Diffusion, which looks like such a folder, or a folder as research code published it.
 */
public final class ModelFolder {
    private final Path path;
    private final FileHints hints;
    private final ModelLayout layout;
    private final List<ModelFolder> stages;

    public ModelFolder(Path path) {
        this(path, FileHints.NONE);
    }

    /** @throws CheckpointException for what is no model, naming what is missing or wrong */
    public ModelFolder(Path path, FileHints hints) {
        this.path = path;
        this.hints = hints;
        List<Path> below = Cascade.stages(path);
        stages = below.stream().map(stage -> new ModelFolder(stage, hints)).toList();
        if (Files.isRegularFile(path)) {
            layout = SingleFile.open(path, hints);
        } else if (!stages.isEmpty()) {
            layout = stages.get(0).layout;
        } else {
            layout = ResearchFolder.matches(path) ? ResearchFolder.open(path) : new DiffusersFolder(path);
            if (!hints.config().isEmpty()) {
                throw new CheckpointException(path + ": a folder has its own configs: --config is for a model in a single file");
            }
            if (hints.averaged()) {
                throw new CheckpointException(path + ": a folder has one set of weights: --ema is for a model in a single file");
            }
        }
    }

    /** Models that draw one after the other, the first one's files standing for all. */
    ModelFolder(List<ModelFolder> stages) {
        this.stages = List.copyOf(stages);
        path = stages.get(0).path;
        hints = stages.get(0).hints;
        layout = stages.get(0).layout;
    }

    /** The models that draw one after the other, each larger than the one before; mostly this one alone. */
    public List<ModelFolder> stages() {
        return stages.isEmpty() ? List.of(this) : stages;
    }

    /** The folder, or the file. */
    public Path path() {
        return path;
    }

    /** The pipeline class that the folder was saved from, such as {@code StableDiffusionPipeline}. */
    public String pipeline() {
        return layout.pipeline();
    }

    /** The {@code config.json} of a component. */
    public ConfigJson config(String component) {
        return layout.config(component);
    }

    /** The {@code scheduler_config.json}. */
    public ObjectNode scheduler() {
        ObjectNode scheduler = layout.scheduler("scheduler");
        return hints.prediction().isEmpty() ? scheduler : scheduler.put("prediction_type", hints.predictionType(""));
    }

    /** The {@code scheduler_config.json} of another component than {@code scheduler}. */
    public ObjectNode scheduler(String component) {
        return layout.scheduler(component);
    }

    /** The tokenizer of a component {@code tokenizer}. */
    public ClipTokenizer tokenizer() {
        return layout.tokenizer();
    }

    /** Writes the files of {@link #tokenizer} into a folder. */
    void copyTokenizer(Path to) {
        layout.copyTokenizer(to);
    }

    /** A component's folder; a single file has none. */
    public Path folder(String component) {
        return layout.folder(component);
    }

    /**
     * Opens a component's weights: one file or shards, safetensors or pickles, in full precision where the model has it, else in
     * float16.
     */
    public TensorSource weights(String component) {
        return layout.weights(component);
    }

    /** What was recognised and what assumed, for the user; a folder says everything itself. */
    public List<String> notes() {
        return layout.notes();
    }
}
