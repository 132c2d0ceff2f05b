package io.sfumato.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Webdataset archives: files of one sample share their name up to the first dot of the last part, such as {@code 0001.png} and
 * {@code 0001.txt}. The caption is the {@code .txt}, or {@code caption} or {@code text} of the {@code .json}.
 */
public final class WebDataset {
    private static final ObjectMapper JSON = new ObjectMapper();

    private WebDataset() {
    }

    /** The samples of archives, in their order. */
    public static List<Captioned> read(List<Path> archives) {
        return archives.stream().flatMap(archive -> samples(archive).entrySet().stream()
                .map(sample -> captioned(archive, sample.getKey(), sample.getValue()))).toList();
    }

    /** The files of each sample by their ending. */
    private static Map<String, Map<String, Tar.Entry>> samples(Path archive) {
        Map<String, Map<String, Tar.Entry>> samples = new LinkedHashMap<>();
        for (Tar.Entry entry : Tar.list(archive)) {
            int dot = entry.name().indexOf('.', entry.name().lastIndexOf('/') + 1);
            if (dot > 0) {
                samples.computeIfAbsent(entry.name().substring(0, dot), key -> new LinkedHashMap<>())
                        .put(entry.name().substring(dot), entry);
            }
        }
        return samples;
    }

    private static Captioned captioned(Path archive, String key, Map<String, Tar.Entry> files) {
        Tar.Entry picture = files.values().stream().filter(e -> Pictures.is(e.name())).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(archive + ": sample " + key + " has no picture, only " + files.keySet()));
        String caption;
        if (files.containsKey(".txt")) {
            caption = new String(files.get(".txt").bytes(), StandardCharsets.UTF_8).strip();
        } else if (files.containsKey(".json")) {
            caption = caption(archive, key, files.get(".json"));
        } else {
            throw new IllegalArgumentException(archive + ": sample " + key + " has no caption: .txt or .json is wanted, it has "
                    + files.keySet());
        }
        return new Captioned(key, List.of(caption), () -> decode(archive, picture));
    }

    private static Image decode(Path archive, Tar.Entry picture) {
        return ImageFile.decode(picture.bytes(), archive + ": " + picture.name()).image();
    }

    private static String caption(Path archive, String key, Tar.Entry json) {
        try {
            JsonNode node = JSON.readTree(json.bytes());
            String name = node.has("caption") ? "caption" : "text";
            if (!node.path(name).isTextual()) {
                throw new IllegalArgumentException(archive + ": sample " + key + ": no text under 'caption' or 'text' in its .json");
            }
            return node.path(name).textValue();
        } catch (IOException e) {
            throw new IllegalArgumentException(archive + ": sample " + key + ": its .json is no JSON", e);
        }
    }
}
