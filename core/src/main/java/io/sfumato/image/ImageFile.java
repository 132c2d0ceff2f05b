package io.sfumato.image;

import io.sfumato.io.FileWrite;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A picture and the texts stored with it, by keyword in the order of the file. A PNG holds any number of texts (tEXt, zTXt, iTXt);
 * JPEG and WebP hold one, under {@link #PARAMETERS}, in the UserComment of their EXIF block as A1111 writes it.
 */
public record ImageFile(Image image, Map<String, String> text) {
    /** The keyword under which A1111 and its kin store how a picture was made; see {@link GenerationParameters}. */
    public static final String PARAMETERS = "parameters";

    /** The most pixels that a file may have. */
    public static final long MAX_PIXELS = 256_000_000;

    public ImageFile {
        text = Collections.unmodifiableMap(new LinkedHashMap<>(text));
    }

    /** A file without texts. */
    public static ImageFile of(Image image) {
        return new ImageFile(image, Map.of());
    }

    /** The same picture with one more text; a text of that keyword is replaced. */
    public ImageFile withText(String keyword, String value) {
        var more = new LinkedHashMap<>(text);
        more.put(keyword, value);
        return new ImageFile(image, more);
    }

    /**
     * Reads a PNG, JPEG or WebP file, known by its content, and turns it upright as its EXIF orientation says. All kinds become 8-bit
     * RGB or, where the file has transparency, RGBA; colour profiles are not applied (as in Pillow). Of an animated PNG, the still
     * picture.
     *
     * @throws BadImageException if the file is no such picture, is damaged or cut off, or has more than {@link #MAX_PIXELS}
     * @throws UncheckedIOException if the file cannot be read
     */
    public static ImageFile read(Path path) {
        try {
            return decode(Files.readAllBytes(path), path.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(FileWrite.explain(path, "read", e), e);
        }
    }

    /** Reads a picture from memory, as {@link #read(Path)} does; {@code name} stands in errors. */
    public static ImageFile decode(byte[] data, String name) {
        return decode(new Source(name, data, MAX_PIXELS));
    }

    static ImageFile decode(Source source) {
        if (Png.matches(source.data())) {
            return Png.decode(source);
        }
        if (Jpeg.matches(source.data())) {
            return Jpeg.decode(source);
        }
        if (WebP.matches(source.data())) {
            return WebP.decode(source);
        }
        throw source.bad(source.data().length == 0 ? "the file is empty" : "not a PNG, JPEG or WebP picture");
    }

    /** The bytes of a file in this format; the same picture, texts and format give the same bytes on one platform. */
    public byte[] encode(ImageFormat format) {
        var out = new ByteArrayOutputStream();
        try {
            encode(format, out);
        } catch (IOException e) {
            throw new AssertionError("memory does not fail to be written", e);
        }
        return out.toByteArray();
    }

    private void encode(ImageFormat format, OutputStream out) throws IOException {
        if (format instanceof ImageFormat.Png) {
            Png.encode(this, out);
            return;
        }
        if (!text.isEmpty() && !text.keySet().equals(Set.of(PARAMETERS))) {
            throw new IllegalArgumentException("JPEG and WebP hold only the text '" + PARAMETERS + "', not " + text.keySet() + ": use PNG");
        }
        out.write(format instanceof ImageFormat.Jpeg jpeg ? Jpeg.encode(this, jpeg.quality()) : WebP.encode(this, format));
    }

    /** Writes the file in the format of the name's ending; see {@link ImageFormat#of(Path)}. */
    public void write(Path path) {
        write(path, ImageFormat.of(path));
    }

    /**
     * Writes the file: beside its place first, then moved there, so that a partial file is never seen.
     *
     * @throws UncheckedIOException with one line that names the path and the reason
     */
    public void write(Path path, ImageFormat format) {
        FileWrite.whole(path, out -> encode(format, out));
    }

    /** The JPEG and WebP form of the texts of a comment: none if it is empty. */
    static Map<String, String> parameters(String comment) {
        return comment.isEmpty() ? Map.of() : Map.of(PARAMETERS, comment);
    }
}
