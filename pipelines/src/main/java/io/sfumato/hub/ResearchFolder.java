package io.sfumato.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.text.ClipTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A folder as research code published it, without {@code model_index.json}: its files tell what it is, its family reads them. */
record ResearchFolder(Path path, String pipeline) implements ModelLayout {
    /** minDALL-E of Kakao Brain. */
    static final String MIN_DALLE_KAKAO = "minDALL-E";
    /** DALL-E mini and mega, as min-dalle keeps them. */
    static final String DALLE_MINI = "min-dalle";
    static final String LLAMAGEN = "LlamaGen";

    /** Whether the files in {@code folder} are those of a known model. */
    static boolean matches(Path folder) {
        return Files.isDirectory(folder) && !Files.exists(folder.resolve("model_index.json")) && !name(folder).isEmpty();
    }

    static ResearchFolder open(Path folder) {
        return new ResearchFolder(folder, name(folder));
    }

    private static String name(Path folder) {
        if (Files.exists(folder.resolve("stage2_last.ckpt"))) {
            return MIN_DALLE_KAKAO;
        }
        if (Stream.of("dalle_bart_mega", "dalle_bart_mini").anyMatch(size -> Files.isDirectory(folder.resolve(size)))
                || Files.exists(folder.resolve("detoker.pt"))) {
            return DALLE_MINI;
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<String> names = files.map(file -> file.getFileName().toString()).toList();
            boolean gpt = names.stream().anyMatch(name -> name.matches("(gpt|c2i|t2i)[^/]*\\.(pt|safetensors)"));
            return gpt && names.stream().anyMatch(name -> name.matches("vq[^/]*\\.(pt|safetensors)")) ? LLAMAGEN : "";
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private CheckpointException none(String component) {
        return new CheckpointException(path + ": a folder of " + pipeline + " has no component '" + component + "'");
    }

    @Override
    public ConfigJson config(String component) {
        throw none(component);
    }

    @Override
    public ObjectNode scheduler(String component) {
        throw none(component);
    }

    @Override
    public ClipTokenizer tokenizer() {
        throw none("tokenizer");
    }

    @Override
    public void copyTokenizer(Path to) {
        throw none("tokenizer");
    }

    @Override
    public TensorSource weights(String component) {
        throw none(component);
    }

    @Override
    public Path folder(String component) {
        throw none(component);
    }

    @Override
    public List<String> notes() {
        return List.of();
    }
}
