package io.sfumato.training.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sfumato.image.Image;
import io.sfumato.image.ImageFile;
import io.sfumato.image.ImageFormat;
import io.sfumato.training.Progress;
import io.sfumato.training.world.Box;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.Split;
import io.sfumato.training.world.World;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;

/**
 * Writes scenes of clip-art world in the layouts that other tools read, with their truth. {@link ImageFolder}, {@link WebDataset} and
 * {@link CocoCaptions} read them back.
 *
 * @param split of the scenes
 * @param first index of the first scene in it
 * @param count how many
 */
public record SceneExport(World world, Split split, long first, int count) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public SceneExport {
        if (first < 0 || count < 1) {
            throw new IllegalArgumentException("scenes from index " + first + ", " + count
                    + " of them: the index must be 0 or more, and at least 1 scene is wanted");
        }
    }

    /** How scenes are written. */
    public enum Layout {
        /** PNG files and {@code metadata.jsonl}, in a new or empty folder. */
        FOLDER,
        /** One tar file with a .png, .txt and .json for each scene. */
        WEBDATASET,
        /** A folder {@code images} and {@code captions.json}, in a new or empty folder. */
        COCO
    }

    /** Writes the scenes to a folder or file. */
    public void write(Layout layout, Path output, Progress progress) {
        try {
            switch (layout) {
                case FOLDER -> folder(output, progress);
                case WEBDATASET -> archive(output, progress);
                case COCO -> coco(output, progress);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(output + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private void folder(Path folder, Progress progress) throws IOException {
        empty(folder);
        List<String> lines = new ArrayList<>();
        each(progress, (index, scene) -> {
            image(scene).write(folder.resolve(name(index) + ".png"));
            lines.add(JSON.createObjectNode().put("file_name", name(index) + ".png").put("text", scene.caption())
                    .setAll(truth(scene)).toString());
        });
        Files.write(folder.resolve("metadata.jsonl"), lines);
    }

    private void archive(Path file, Progress progress) throws IOException {
        if (Files.exists(file)) {
            throw new IllegalArgumentException(file + ": is there already: choose another name");
        }
        Path partial = file.resolveSibling(file.getFileName() + ".part");
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(partial))) {
            each(progress, (index, scene) -> {
                try {
                    Tar.write(out, name(index) + ".png", ImageFile.of(image(scene)).encode(new ImageFormat.Png()));
                    Tar.write(out, name(index) + ".txt", scene.caption().getBytes(StandardCharsets.UTF_8));
                    Tar.write(out, name(index) + ".json", truth(scene).put("caption", scene.caption()).toString()
                            .getBytes(StandardCharsets.UTF_8));
                } catch (IOException e) {
                    throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
                }
            });
            Tar.end(out);
        }
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private void coco(Path folder, Progress progress) throws IOException {
        empty(folder);
        Path images = Files.createDirectories(folder.resolve("images"));
        ObjectNode root = JSON.createObjectNode();
        root.putObject("info").put("description", "clip-art world, " + split);
        root.putArray("licenses").addObject().put("id", 1).put("name", "CC0 1.0")
                .put("url", "https://creativecommons.org/publicdomain/zero/1.0/");
        ArrayNode pictures = root.putArray("images"), annotations = root.putArray("annotations");
        each(progress, (index, scene) -> {
            image(scene).write(images.resolve(name(index) + ".png"));
            pictures.addObject().put("id", index).put("file_name", name(index) + ".png").put("width", scene.size())
                    .put("height", scene.size()).put("license", 1);
            annotations.addObject().put("id", index).put("image_id", index).put("caption", scene.caption());
        });
        Files.writeString(folder.resolve("captions.json"), root.toString());
    }

    private void each(Progress progress, BiConsumer<Long, Scene> write) {
        for (int i = 0; i < count; i++) {
            write.accept(first + i, world.scene(split, first + i));
            progress.step("scenes", i + 1, count, Double.NaN);
        }
    }

    private static void empty(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (var files = Files.list(folder)) {
            if (files.findAny().isPresent()) {
                throw new IllegalArgumentException(folder + ": is not empty: choose another folder");
            }
        }
    }

    private static String name(long index) {
        return String.format(Locale.ROOT, "%08d", index);
    }

    private static Image image(Scene scene) {
        return Image.of(scene.size(), scene.size(), 3, scene.pixels());
    }

    /** What a scene shows: groups, things with boxes in fractions of the frame, relations. */
    private static ObjectNode truth(Scene scene) {
        ObjectNode truth = JSON.createObjectNode();
        truth.put("background", scene.background().word()).put("style", scene.style().name().toLowerCase(Locale.ROOT));
        ArrayNode groups = truth.putArray("groups");
        scene.groups().forEach(g -> groups.addObject().put("noun", g.noun()).put("colour", g.colour())
                .put("size", g.size().name().toLowerCase(Locale.ROOT)).put("count", g.count()));
        ArrayNode things = truth.putArray("things");
        for (Scene.Thing thing : scene.things()) {
            Box box = thing.box();
            things.addObject().put("group", thing.group()).put("picture", thing.picture()).putArray("box")
                    .add(rounded(box.left())).add(rounded(box.top())).add(rounded(box.right())).add(rounded(box.bottom()));
        }
        ArrayNode said = truth.putArray("said");
        scene.said().forEach(r -> said.addObject().put("subject", r.subject())
                .put("relation", r.relation().name().toLowerCase(Locale.ROOT)).put("object", r.object()));
        return truth;
    }

    private static double rounded(double fraction) {
        return Math.round(fraction * 1e4) / 1e4;
    }
}
