package io.sfumato.training.scenes;

import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/**
 * A collection of transparent PNG pictures with their index {@code clipart.tsv}, in a folder or on the class path. Pictures are read
 * when asked for and not kept: {@link Scenes} holds what it draws, scaled.
 */
public final class ClipArt {
    private static final String BUNDLED = "/io/sfumato/bundled/clipart/";
    private static final String INDEX = "clipart.tsv";
    private static final String COLUMNS = "picture\tnoun\tplural\tpart\tcategories\tsynonyms\tcolours\tanchor";

    private final URL folder;

    private ClipArt(URL folder) {
        this.folder = folder;
    }

    /** The clip art of a folder; it must hold {@code clipart.tsv}. */
    public static ClipArt load(Path folder) {
        var index = folder.resolve(INDEX);
        if (!Files.isRegularFile(index)) {
            throw new IllegalArgumentException("No clip art in " + folder + ": expected a folder with " + INDEX + " and PNG pictures");
        }
        try {
            return new ClipArt(index.toUri().toURL());
        } catch (IOException e) {
            throw new UncheckedIOException("Not a readable folder of clip art: " + folder, e);
        }
    }

    /** The clip art of module {@code bundled}, when that is on the class path. */
    public static ClipArt bundled() {
        var index = ClipArt.class.getResource(BUNDLED + INDEX);
        if (index == null) {
            throw new IllegalStateException("No clip art on the class path: add io.sfumato:bundled, or give a folder of clip art");
        }
        return new ClipArt(index);
    }

    /** One line of the index. */
    public record Entry(String picture, String noun, String plural, Part part, List<String> categories, List<String> synonyms,
                        List<String> colours, List<String> anchors) {
        /** The {@link #plural()} of a noun that is not counted: it stands without an article. */
        public static final String UNCOUNTED = "-";
    }

    /** The index, in its order: of the pictures of a noun the first shows it most plainly. */
    public List<Entry> index() {
        try (var in = new BufferedReader(new InputStreamReader(folder.openStream(), StandardCharsets.UTF_8))) {
            var lines = in.lines().toList();
            if (lines.isEmpty() || !lines.get(0).startsWith(COLUMNS)) {
                throw new IllegalArgumentException(folder + ": line 1 must name the columns " + COLUMNS.replace('\t', ' '));
            }
            return IntStream.range(1, lines.size()).mapToObj(i -> entry(lines.get(i), i + 1)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read", e);
        }
    }

    private Entry entry(String line, int number) {
        var cells = line.split("\t", -1);
        if (cells.length < COLUMNS.split("\t").length) {
            throw new IllegalArgumentException(folder + ": line " + number + " has " + cells.length + " columns, where "
                    + COLUMNS.split("\t").length + " or more are wanted");
        }
        try {
            var part = Part.valueOf(cells[3].toUpperCase(Locale.ROOT));
            return new Entry(cells[0], cells[1], cells[2], part, list(cells[4]), list(cells[5]), list(cells[6]), list(cells[7]));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(folder + ": line " + number + ": no part '" + cells[3] + "'; parts are "
                    + Arrays.toString(Part.values()).toLowerCase(Locale.ROOT), e);
        }
    }

    private static List<String> list(String cell) {
        return cell.isEmpty() ? List.of() : List.of(cell.split(","));
    }

    /** The picture of a name such as {@code apple-1}, with its alpha channel. */
    public BufferedImage picture(String name) {
        try (InputStream in = new URL(folder, name + ".png").openStream()) {
            var image = ImageIO.read(in);
            if (image == null) {
                throw new IllegalArgumentException("Clip art '" + name + "' is not a PNG picture (" + folder + ")");
            }
            return image;
        } catch (IOException e) {
            throw new UncheckedIOException("No clip art '" + name + "' beside " + folder, e);
        }
    }
}
