package io.sfumato.training.scenes;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/**
 * A collection of transparent PNG pictures with their index {@code clipart.tsv}, in a folder or on the class path. Pictures are read
 * when asked for and not kept: {@link Scenes} holds what it draws, scaled.
 */
public final class ClipArt {
    private static final String BUNDLED = "/io/sfumato/bundled/clipart/";
    private static final String INDEX = "clipart.tsv";

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
