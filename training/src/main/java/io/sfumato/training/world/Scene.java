package io.sfumato.training.world;

import io.sfumato.training.scenes.Colour;
import java.util.List;
import java.util.Locale;

/**
 * A drawn picture, a caption and what it truly shows. Pixels are RGB bytes (0 to 255 unsigned), row by row, size * size * 3 of them.
 *
 * @param groups    kinds of thing, in the order in which the caption's relation speaks of them
 * @param things    every single thing, those further back first
 * @param relations all that hold between any two groups
 * @param said      of those, what the caption says
 */
public record Scene(int size, byte[] pixels, String caption, List<Group> groups, List<Thing> things, List<Related> relations,
                    List<Related> said, Background background, Style style) {
    /** The colour of things in their own colours, that the caption does not name. */
    public static final String NATURAL = "natural";

    public Scene {
        if (pixels.length != size * size * 3) {
            throw new IllegalArgumentException("A scene of size " + size + " has " + size * size * 3 + " bytes, got " + pixels.length);
        }
        groups = List.copyOf(groups);
        things = List.copyOf(things);
        relations = List.copyOf(relations);
        said = List.copyOf(said);
    }

    /** So many things of one noun; {@code colour} is the caption's colour word or {@link #NATURAL}. */
    public record Group(String noun, String colour, Size size, int count) {
        public boolean hasColour() {
            return !colour.equals(NATURAL);
        }

        /** The colour of a group that has one. */
        public Colour paint() {
            return Colour.valueOf(colour.toUpperCase(Locale.ROOT));
        }
    }

    /** One thing: the place of its group in {@link Scene#groups()}, the clip art it is drawn with, and where. */
    public record Thing(int group, String picture, Box box) {
    }

    /** That group {@code subject} is in {@code relation} to group {@code object}. */
    public record Related(int subject, Relation relation, int object) {
    }
}
