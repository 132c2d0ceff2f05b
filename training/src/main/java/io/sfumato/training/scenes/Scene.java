package io.sfumato.training.scenes;

import java.util.List;

/**
 * A drawn picture, its caption and what it truly shows. Pixels are RGB bytes (0 to 255 unsigned), row by row, size * size * 3 of them;
 * objects go from left to right; background is a colour word, named in the caption or not.
 */
public record Scene(int size, byte[] pixels, String caption, List<Thing> objects, String background) {
    /** The colour of a thing in its own colours, that no colour word names. */
    public static final String NATURAL = "natural";

    public Scene {
        if (pixels.length != size * size * 3) {
            throw new IllegalArgumentException("A scene of size " + size + " has " + size * size * 3 + " bytes, got " + pixels.length);
        }
        objects = List.copyOf(objects);
    }

    /** A thing in the picture: its noun, the noun's place in {@link Scenes#nouns()}, its colour word or {@link #NATURAL}, its box. */
    public record Thing(String noun, int nounIndex, String colour, Box box) {
    }

    /** The pixels from left to right and top to bottom, the ends not counted. */
    public record Box(int left, int top, int right, int bottom) {
    }
}
