package io.sfumato.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.image.Image;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A folder of pictures. Captions stand in {@code metadata.jsonl} (a line has {@code file_name} and {@code text}, as Hugging Face's
 * imagefolder wants), or beside each picture in a text file of its name, one caption a line.
 */
public final class ImageFolder {
    private static final String METADATA = "metadata.jsonl";

    private ImageFolder() {
    }

    /** The pictures of the folder, in the order of the metadata or of their names. */
    public static List<Captioned> read(Path folder) {
        Path metadata = folder.resolve(METADATA);
        return Files.exists(metadata) ? listed(folder, Lines.of(metadata)) : besides(folder);
    }

    private static List<Captioned> listed(Path folder, Lines lines) {
        Map<String, List<String>> captions = new LinkedHashMap<>();
        for (int line = 0; line < lines.count(); line++) {
            if (!lines.isBlank(line)) {
                JsonNode row = lines.json(line);
                String name = lines.text(line, row, "file_name");
                Path file = Pictures.within(folder, name);
                if (!Files.exists(file)) {
                    throw lines.bad(line, "there is no picture " + file);
                }
                captions.computeIfAbsent(name, n -> new ArrayList<>()).add(lines.text(line, row, "text"));
            }
        }
        return captions.entrySet().stream()
                .map(e -> new Captioned(e.getKey(), e.getValue(), () -> Image.read(folder.resolve(e.getKey())))).toList();
    }

    private static List<Captioned> besides(Path folder) {
        List<Captioned> pictures = new ArrayList<>();
        for (Path picture : FolderWalk.files(folder, ".jpg", ".jpeg", ".png", ".webp")) {
            String name = picture.getFileName().toString();
            Path text = picture.resolveSibling(name.substring(0, name.lastIndexOf('.')) + ".txt");
            if (!Files.exists(text)) {
                throw new IllegalArgumentException(picture + ": no caption: " + text.getFileName() + " beside it or " + METADATA + " in "
                        + folder + " is wanted");
            }
            pictures.add(new Captioned(folder.relativize(picture).toString(), Lines.of(text).texts(), () -> Image.read(picture)));
        }
        if (pictures.isEmpty()) {
            throw new IllegalArgumentException(folder + ": no pictures in it");
        }
        return pictures;
    }
}
