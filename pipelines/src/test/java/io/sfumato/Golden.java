package io.sfumato;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Reference numbers among the test resources. */
public final class Golden {
    private Golden() {
    }

    /** The file {@code golden/NAME}. */
    public static Path file(String name) {
        try {
            return Path.of(Golden.class.getResource("/golden/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(name, e);
        }
    }
}
