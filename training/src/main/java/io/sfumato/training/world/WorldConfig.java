package io.sfumato.training.world;

import java.util.Arrays;
import java.util.List;

/**
 * What {@link World} draws.
 *
 * @param size        side of the square pictures in pixels, 16 to 512
 * @param nouns       which there are; all if none
 * @param looks       most pictures of one noun
 * @param kinds       shares of scenes with 1, 2, 3 and 4 kinds of thing, as many as are wanted
 * @param counts      shares of kinds with 1, 2, 3, 4 and 5 things, as many as are wanted
 * @param things      most things in a scene
 * @param coloured    share of kinds with a colour word, where the noun takes one
 * @param sized       share of scenes of one kind in which it is small or large
 * @param placed      share of captions that name the background
 * @param backgrounds which there are; all if none
 * @param styles      other styles than {@link Style#FLAT}
 * @param styled      share of scenes in them
 * @param narrated    share of captions of several sentences
 */
public record WorldConfig(int size, List<String> nouns, int looks, List<Double> kinds, List<Double> counts, int things, double coloured,
                          double sized, double placed, List<Background> backgrounds, List<Style> styles, double styled, double narrated) {
    /** Common, countable things that look distinct at 64 pixels and mostly take many colours: a first vocabulary. */
    public static final List<String> SIXTY = List.of("airplane", "apple", "backpack", "balloon", "banana", "bear", "bee", "bicycle",
            "book", "bus", "butterfly", "car", "carrot", "castle", "cat", "clock", "cloud", "cow", "crown", "cupcake", "dinosaur",
            "dog", "duck", "elephant", "fish", "flower", "frog", "gift", "guitar", "hamburger", "hat", "heart", "horse", "house",
            "ice cream", "ladybug", "lemon", "lion", "moon", "mug", "mushroom", "padlock", "pear", "penguin", "pig", "pineapple", "pizza",
            "pumpkin", "rabbit", "rocket", "sailboat", "snowman", "soccer ball", "strawberry", "sun", "teapot", "teddy bear", "tent",
            "tree", "umbrella");

    public WorldConfig {
        nouns = List.copyOf(nouns);
        kinds = List.copyOf(kinds);
        counts = List.copyOf(counts);
        backgrounds = List.copyOf(backgrounds.isEmpty() ? Arrays.asList(Background.values()) : backgrounds);
        styles = List.copyOf(styles);
        range("size", size, 16, 512);
        range("looks", looks, 1, 100);
        range("things", things, 1, 20);
        shares("kinds", kinds, 4);
        shares("counts", counts, 5);
        share("coloured", coloured);
        share("sized", sized);
        share("placed", placed);
        share("styled", styled);
        share("narrated", narrated);
        if (nouns.size() == 1 || nouns.size() != nouns.stream().distinct().count()) {
            throw new IllegalArgumentException("The world's nouns must be none (for all) or two or more different ones, got " + nouns);
        }
        if (styled > 0 && styles.isEmpty()) {
            throw new IllegalArgumentException("The share 'styled' of scenes is " + styled + ", but no styles are given");
        }
    }

    /** All nouns and styles, up to four kinds and five of each. */
    public static WorldConfig all(int size) {
        return new WorldConfig(size, List.of(), 100, List.of(0.4, 0.4, 0.12, 0.08), List.of(0.6, 0.16, 0.12, 0.07, 0.05), 9, 0.6, 0.2, 0.4,
                List.of(), List.of(Style.OUTLINE, Style.SKETCH, Style.PIXEL_ART), 0.15, 0.2);
    }

    /** {@link #SIXTY} nouns in one look each, one or two kinds, up to four of each, flat only: what a small model can learn. */
    public static WorldConfig sixty(int size) {
        return new WorldConfig(size, SIXTY, 1, List.of(0.55, 0.45), List.of(0.64, 0.16, 0.12, 0.08), 6, 0.6, 0.15, 0.35, List.of(),
                List.of(), 0, 0.1);
    }

    private static void range(String name, int value, int low, int high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException("The world's " + name + " must be " + low + " to " + high + ", got " + value);
        }
    }

    private static void share(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException("The share '" + name + "' of the world must be 0 to 1, got " + value);
        }
    }

    private static void shares(String name, List<Double> values, int most) {
        double sum = values.stream().mapToDouble(v -> v).sum();
        if (values.isEmpty() || values.size() > most || values.stream().anyMatch(v -> !(v >= 0)) || Math.abs(sum - 1) > 1e-6) {
            throw new IllegalArgumentException("The shares '" + name + "' of the world must be 1 to " + most
                    + " numbers of 0 or more that sum to 1, got " + values);
        }
    }
}
