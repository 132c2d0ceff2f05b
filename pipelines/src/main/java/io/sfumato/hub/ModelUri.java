package io.sfumato.hub;

import io.sfumato.io.CheckpointException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Where a model is: the path of a folder or of a single file, or {@code builtin:NAME} for one on the class path. Stages of a cascade may
 * be given one by one, {@link #BETWEEN_STAGES} between them.
 */
public final class ModelUri {
    /** What draws where no model is named: the best that is embedded. */
    public static final String DEFAULT = "builtin:clipart-world";
    /** The smallest that is embedded, for unit tests: 64x64. */
    public static final String SMALL = "builtin:first-light";
    /** Stands between the stages of a cascade. */
    public static final String BETWEEN_STAGES = ",";
    private static final String BUILTIN = "builtin:";

    private ModelUri() {
    }

    /** The model that {@code uri} means; one on the class path is unpacked into a cache first. */
    public static ModelFolder resolve(String uri) {
        return resolve(uri, FileHints.NONE);
    }

    /** As {@link #resolve(String)}, by what the user says of its files. */
    public static ModelFolder resolve(String uri, FileHints hints) {
        if (uri.startsWith(BUILTIN)) {
            return new ModelFolder(BuiltinModels.unpack(uri.substring(BUILTIN.length())).path(), hints);
        }
        try {
            if (uri.contains(BETWEEN_STAGES) && !Files.exists(Path.of(uri))) {
                return new ModelFolder(Arrays.stream(uri.split(BETWEEN_STAGES, -1)).map(stage -> resolve(stage.strip(), hints)).toList());
            }
            return new ModelFolder(Path.of(uri), hints);
        } catch (InvalidPathException e) {
            throw new CheckpointException("'" + uri + "' is neither a path nor builtin:NAME");
        }
    }
}
