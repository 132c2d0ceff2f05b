package io.sfumato.cli;

import io.sfumato.hub.FileHints;
import io.sfumato.hub.ModelFolder;
import io.sfumato.hub.ModelUri;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model to open. */
final class ModelChoice {
    @Option(order = 2, names = "--model", paramLabel = "URI", description = "a model folder or file, or builtin:NAME ("
            + ModelUri.DEFAULT + "); stages of a cascade one by one")
    private List<String> uris = List.of(ModelUri.DEFAULT);

    @Mixin
    private final FileOptions files = new FileOptions();

    String uri() {
        return String.join(ModelUri.BETWEEN_STAGES, uris);
    }

    /** What to call it: the last parts of its paths. */
    String name() {
        return Arrays.stream(uri().split(ModelUri.BETWEEN_STAGES)).map(uri -> uri.startsWith("builtin:")
                ? uri.substring("builtin:".length()) : Path.of(uri).toAbsolutePath().normalize().getFileName().toString())
                .collect(Collectors.joining(" + "));
    }

    /** @throws IllegalArgumentException for a hint that is none */
    FileHints hints() {
        return files.hints();
    }

    ModelFolder open(FileHints hints) {
        return ModelUri.resolve(uri(), hints);
    }
}
