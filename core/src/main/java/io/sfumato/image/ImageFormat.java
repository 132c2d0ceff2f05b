package io.sfumato.image;

import java.nio.file.Path;
import java.util.Locale;

/** A file format to write, with its quality: 1 (smallest) to 100 (best) as in libjpeg and libwebp. */
public sealed interface ImageFormat {
    /** Lossless, with alpha and any text. */
    record Png() implements ImageFormat {
    }

    /** Lossy, without alpha. */
    record Jpeg(int quality) implements ImageFormat {
        public Jpeg {
            checkQuality(quality);
        }
    }

    /** Lossy WebP, with alpha. */
    record WebP(int quality) implements ImageFormat {
        public WebP {
            checkQuality(quality);
        }
    }

    /** Lossless WebP, with alpha; colours under full transparency are kept. */
    record LosslessWebP() implements ImageFormat {
    }

    /** The format that a file name's ending asks for: .png, .jpg or .jpeg (quality 95), .webp (quality 90). */
    static ImageFormat of(Path path) {
        String name = path.toString();
        return switch (name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT)) {
            case "png" -> new Png();
            case "jpg", "jpeg" -> new Jpeg(95);
            case "webp" -> new WebP(90);
            default -> throw new IllegalArgumentException(path + ": the name of a picture ends in .png, .jpg, .jpeg or .webp");
        };
    }

    private static void checkQuality(int quality) {
        if (quality < 1 || quality > 100) {
            throw new IllegalArgumentException("quality " + quality + " is not in 1..100");
        }
    }
}
