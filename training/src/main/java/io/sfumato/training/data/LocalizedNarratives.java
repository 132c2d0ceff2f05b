package io.sfumato.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.image.Image;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Localized Narratives (Pont-Tuset et al. 2020): one JSON object a line, with the spoken caption of one annotator. */
public final class LocalizedNarratives {
    private LocalizedNarratives() {
    }

    /**
     * The pictures in the order of their first narrative, each with all of its narratives.
     *
     * @param jsonl  such as {@code coco_val_localized_narratives.jsonl}
     * @param images the folder of the pictures: named by image id, or by COCO's twelve digits
     */
    public static List<Captioned> read(Path jsonl, Path images) {
        Lines lines = Lines.of(jsonl);
        Map<String, List<String>> captions = new LinkedHashMap<>();
        for (int line = 0; line < lines.count(); line++) {
            if (!lines.isBlank(line)) {
                JsonNode row = lines.json(line);
                captions.computeIfAbsent(lines.text(line, row, "image_id"), id -> new ArrayList<>()).add(lines.text(line, row, "caption"));
            }
        }
        return captions.entrySet().stream().map(e -> new Captioned(e.getKey(), e.getValue(), () -> picture(images, e.getKey()))).toList();
    }

    private static Image picture(Path images, String id) {
        String digits = id.matches("\\d{1,12}") ? "0".repeat(12 - id.length()) + id : id;
        return Image.read(Pictures.find(images, id, digits));
    }
}
