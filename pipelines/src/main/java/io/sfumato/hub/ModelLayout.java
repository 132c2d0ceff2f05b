package io.sfumato.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.text.ClipTokenizer;
import java.nio.file.Path;
import java.util.List;

/** How a model lies on the disk: see {@link ModelFolder}, whose methods these are. */
interface ModelLayout {
    String pipeline();

    ConfigJson config(String component);

    ObjectNode scheduler(String component);

    ClipTokenizer tokenizer();

    void copyTokenizer(Path to);

    TensorSource weights(String component);

    Path folder(String component);

    List<String> notes();
}
