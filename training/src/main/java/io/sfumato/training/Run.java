package io.sfumato.training;

import java.nio.file.Path;

/** Where a training keeps its files, and who is told of its steps. */
record Run(Path folder, Progress progress) {
    Path file(String name) {
        return folder.resolve(name);
    }
}
