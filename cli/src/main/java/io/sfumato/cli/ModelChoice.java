package io.sfumato.cli;

import io.sfumato.hub.FileHints;
import io.sfumato.hub.ModelFolder;
import io.sfumato.hub.ModelUri;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which model, and what its files leave open. */
final class ModelChoice {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(order = 2, names = "--model", paramLabel = "URI", description = "a model folder or file, or builtin:NAME (${DEFAULT-VALUE})")
    private String uri = ModelUri.DEFAULT;

    @Option(order = 40, names = "--config", paramLabel = "FOLDER",
            description = "for a model in one file: a model folder whose configs and tokenizer are its own")
    private String config = "";

    @Option(order = 41, names = "--prediction", paramLabel = "KIND", description = "what the U-Net predicts, eps or v, if the files do not say")
    private String prediction = "";

    String uri() {
        return uri;
    }

    FileHints hints() {
        return Main.checked(spec, () -> new FileHints(config, prediction));
    }

    ModelFolder open() {
        return ModelUri.resolve(uri, hints());
    }
}
