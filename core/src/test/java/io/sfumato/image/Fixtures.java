package io.sfumato.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The picture files under {@code image/}, made by {@code image/make.py}. */
final class Fixtures {
    private Fixtures() {
    }

    static byte[] bytes(String name) {
        try (InputStream in = Fixtures.class.getResourceAsStream("/image/" + name)) {
            if (in == null) {
                throw new IllegalArgumentException("no fixture " + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ImageFile file(String name) {
        return ImageFile.decode(bytes(name), name);
    }

    static Image image(String name) {
        return file(name).image();
    }

    /** What Pillow reads from the fixture. */
    static Image expected(String name) {
        return image("expected/" + name.replace('.', '_') + ".png");
    }

    /** The largest difference of two images of one kind, in levels. */
    static int difference(Image a, Image b) {
        if (!a.toString().equals(b.toString())) {
            throw new AssertionError(a + " is not " + b);
        }
        byte[] x = a.toBytes();
        byte[] y = b.toBytes();
        int largest = 0;
        for (int i = 0; i < x.length; i++) {
            largest = Math.max(largest, Math.abs((x[i] & 0xff) - (y[i] & 0xff)));
        }
        return largest;
    }
}
