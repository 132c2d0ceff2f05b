package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.TextToImage;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.CheckpointException;
import java.util.Map;
import java.util.function.BiFunction;

/** The families of models, by the pipeline class that a folder's {@code model_index.json} names. */
public final class Families {
    private static final Map<String, BiFunction<ModelFolder, LoadOptions, TextToImage>> BY_PIPELINE = Map.of(
            "StableDiffusionPipeline", StableDiffusion::new);

    private Families() {
    }

    public static TextToImage load(ModelFolder folder, LoadOptions options) {
        var family = BY_PIPELINE.get(folder.pipeline());
        if (family == null) {
            throw new CheckpointException(folder.path() + ": its model_index.json names " + folder.pipeline() + "; known are "
                    + BY_PIPELINE.keySet());
        }
        return family.apply(folder, options);
    }
}
