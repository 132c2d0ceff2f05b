package io.sfumato.training.data;

import io.sfumato.image.Image;
import java.util.List;
import java.util.function.Supplier;

/**
 * A picture and what people say of it.
 *
 * @param name     of the picture in its data set
 * @param captions one or more
 * @param picture  reads it, each time anew
 */
public record Captioned(String name, List<String> captions, Supplier<Image> picture) {
    public Captioned {
        captions = List.copyOf(captions);
        if (captions.isEmpty()) {
            throw new IllegalArgumentException(name + ": a captioned picture needs at least one caption");
        }
    }

    /** Reads the picture. */
    public Image image() {
        return picture.get();
    }
}
