package io.sfumato.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.image.Image;
import io.sfumato.io.JsonFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** COCO captions (Chen et al. 2015): one JSON file of images and annotations, and a folder of pictures. */
public final class CocoCaptions {
    private CocoCaptions() {
    }

    /**
     * The pictures that have captions, in the file's order; those without any are left out.
     *
     * @param json   such as {@code annotations/captions_val2014.json}
     * @param images the folder of the pictures, such as {@code val2014}
     */
    public static List<Captioned> read(Path json, Path images) {
        JsonNode root = JsonFile.read(json);
        Map<Long, String> files = new LinkedHashMap<>();
        for (JsonNode image : array(json, root, "images")) {
            files.put(number(json, "images", image, "id"), text(json, "images", image, "file_name"));
        }
        Map<Long, List<String>> captions = new LinkedHashMap<>();
        for (JsonNode annotation : array(json, root, "annotations")) {
            long image = number(json, "annotations", annotation, "image_id");
            if (!files.containsKey(image)) {
                throw new IllegalArgumentException(json + ": a caption of image " + image + ", which is not among its images");
            }
            captions.computeIfAbsent(image, id -> new ArrayList<>()).add(text(json, "annotations", annotation, "caption").strip());
        }
        return files.keySet().stream().filter(captions::containsKey)
                .map(id -> new Captioned(files.get(id), captions.get(id), () -> Image.read(Pictures.within(images, files.get(id)))))
                .toList();
    }

    private static JsonNode array(Path json, JsonNode root, String key) {
        if (!root.path(key).isArray()) {
            throw new IllegalArgumentException(json + ": no list '" + key + "': COCO captions have images and annotations");
        }
        return root.path(key);
    }

    private static long number(Path json, String list, JsonNode node, String key) {
        if (!node.path(key).isIntegralNumber()) {
            throw new IllegalArgumentException(json + ": an entry of '" + list + "' without a whole number '" + key + "': " + node);
        }
        return node.path(key).longValue();
    }

    private static String text(Path json, String list, JsonNode node, String key) {
        if (!node.path(key).isTextual()) {
            throw new IllegalArgumentException(json + ": an entry of '" + list + "' without a text '" + key + "': " + node);
        }
        return node.path(key).textValue();
    }
}
