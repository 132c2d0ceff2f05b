package io.sfumato.cli;

import io.sfumato.hub.FileHints;
import picocli.CommandLine.Option;

/** What a model's files leave open. */
final class FileOptions {
    @Option(order = 70, names = "--config", paramLabel = "FOLDER",
            description = "for a model in one file: a model folder whose configs and tokenizer are its own")
    private String config = "";

    @Option(order = 71, names = "--prediction", paramLabel = "KIND",
            description = "what the U-Net predicts, eps or v, if the files do not say")
    private String prediction = "";

    @Option(order = 72, names = "--ema", description = "the averaged weights of a file that has both")
    private boolean averaged;

    /** @throws IllegalArgumentException for a kind of prediction that there is not */
    FileHints hints() {
        return new FileHints(config, prediction, averaged);
    }
}
