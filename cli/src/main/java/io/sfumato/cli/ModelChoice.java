package io.sfumato.cli;

import io.sfumato.hub.FileHints;
import io.sfumato.hub.ModelFolder;
import io.sfumato.hub.ModelUri;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model to open. */
final class ModelChoice {
    @Option(order = 2, names = "--model", paramLabel = "URI", description = "a model folder or file, or builtin:NAME (${DEFAULT-VALUE})")
    private String uri = ModelUri.DEFAULT;

    @Mixin
    private final FileOptions files = new FileOptions();

    String uri() {
        return uri;
    }

    /** @throws IllegalArgumentException for a hint that is none */
    FileHints hints() {
        return files.hints();
    }

    ModelFolder open(FileHints hints) {
        return ModelUri.resolve(uri, hints);
    }
}
