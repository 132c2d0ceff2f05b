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
    private static final int SHOWN = 100;

    private CocoCaptions() {
    }

    /**
     * The pictures that have captions, in the file's order. Pictures without captions are left out, and so are captions of pictures
     * that the file does not list: parts of COCO are often cut that way.
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
            captions.computeIfAbsent(image, id -> new ArrayList<>()).add(text(json, "annotations", annotation, "caption").strip());
        }
        captions.keySet().retainAll(files.keySet());
        if (captions.isEmpty()) {
            throw new IllegalArgumentException(json + ": no caption belongs to any of its " + files.size() + " images");
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
            throw new IllegalArgumentException(json + ": an entry of '" + list + "' without a whole number '" + key + "': " + brief(node));
        }
        return node.path(key).longValue();
    }

    private static String text(Path json, String list, JsonNode node, String key) {
        if (!node.path(key).isTextual()) {
            throw new IllegalArgumentException(json + ": an entry of '" + list + "' without a text '" + key + "': " + brief(node));
        }
        return node.path(key).textValue();
    }

    /** The beginning of an entry: outlines of objects are long. */
    private static String brief(JsonNode node) {
        String text = node.toString();
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
    }
}
