package io.sfumato.hub;

import io.sfumato.io.CheckpointException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Where a model is: a folder's path, or {@code builtin:NAME} for one on the class path. */
public final class ModelUri {
    /** The embedded default. */
    public static final String DEFAULT = "builtin:first-light";
    private static final String BUILTIN = "builtin:";

    private ModelUri() {
    }

    /** The folder that {@code uri} means; one on the class path is unpacked into a cache first. */
    public static ModelFolder resolve(String uri) {
        if (uri.startsWith(BUILTIN)) {
            return BuiltinModels.unpack(uri.substring(BUILTIN.length()));
        }
        try {
            return new ModelFolder(Path.of(uri));
        } catch (InvalidPathException e) {
            throw new CheckpointException("'" + uri + "' is neither a path nor builtin:NAME");
        }
    }
}
