package io.sfumato.families;

import io.sfumato.Options;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.ConfigJson;
import java.nio.file.Files;
import java.nio.file.Path;

/** Defaults that a model's folder gives in an optional {@code sfumato.json}: {@code steps}, {@code guidance}, {@code guidance_rescale}. */
final class FolderDefaults {
    private FolderDefaults() {
    }

    static Options of(ModelFolder folder, Options otherwise) {
        Path file = folder.path().resolve("sfumato.json");
        if (!Files.exists(file)) {
            return otherwise;
        }
        ConfigJson json = ConfigJson.read(file);
        return otherwise.withSteps(json.integer("steps", otherwise.steps())).withGuidance(json.number("guidance", otherwise.guidance()))
                .withGuidanceRescale(json.number("guidance_rescale", otherwise.guidanceRescale()));
    }
}
