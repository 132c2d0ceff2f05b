package io.sfumato.training.scenes;

import static io.sfumato.training.scenes.Colour.*;

import java.util.List;

/**
 * A thing that scenes show: its caption word, its clip art, the part of the art that takes another colour, whether it may be mirrored,
 * and the colours it may take. One picture a noun, chosen to look distinct at 64 pixels: a small model learns one look fast.
 */
record Noun(String word, String art, Part part, boolean mirrored, List<Colour> colours) {

    private static final List<Colour> BRIGHT = List.of(RED, ORANGE, YELLOW, GREEN, BLUE, PURPLE, PINK);
    private static final List<Colour> PAINT = List.of(RED, ORANGE, YELLOW, GREEN, BLUE, PURPLE, PINK, BROWN, GREY, WHITE);
    private static final List<Colour> FRUIT = List.of(RED, ORANGE, YELLOW, GREEN, PURPLE);
    private static final List<Colour> FUR = List.of(ORANGE, BROWN, GREY, WHITE, BLACK);

    static final List<Noun> ALL = List.of(
            noun("apple", "apple-1", Part.REDS, BRIGHT),
            noun("ball", "soccer-ball-1", Part.NEUTRAL, BRIGHT),
            noun("balloon", "balloon-1", Part.REDS, BRIGHT),
            noun("banana", "banana-1", Part.YELLOWS, List.of(YELLOW, GREEN, BROWN)),
            noun("boat", "sailboat-2", Part.CYANS, BRIGHT),
            noun("bus", "bus-2", Part.CYANS, BRIGHT),
            noun("butterfly", "butterfly-2", Part.PURPLES, BRIGHT),
            noun("car", "car-2", Part.REDS, PAINT),
            noun("cat", "cat-1", Part.NEUTRAL, FUR),
            fixed("clock", "clock-1", Part.BLUES, BRIGHT),
            noun("crown", "crown-1", Part.NONE, List.of()),
            noun("cupcake", "cupcake-1", Part.NONE, List.of()),
            noun("dog", "dog-1", Part.YELLOWS, FUR),
            noun("duck", "rubber-duck-1", Part.YELLOWS, BRIGHT),
            noun("elephant", "elephant-1", Part.NEUTRAL, List.of(GREY, PINK, BLUE)),
            noun("fish", "fish-1", Part.ORANGES, BRIGHT),
            noun("flower", "flower-1", Part.BLUES, BRIGHT),
            noun("frog", "frog-1", Part.GREENS, List.of(GREEN, BLUE, YELLOW, RED, BROWN)),
            noun("gift", "gift-3", Part.CYANS, List.of(ORANGE, YELLOW, GREEN, BLUE, PURPLE, PINK)),
            noun("hat", "hat-2", Part.REDS, PAINT),
            noun("heart", "heart-1", Part.REDS, BRIGHT),
            noun("house", "house-5", Part.REDS, PAINT),
            noun("key", "key-1", Part.NEUTRAL, BRIGHT),
            noun("ladybug", "ladybug-1", Part.REDS, List.of(RED, ORANGE, YELLOW)),
            noun("lemon", "lemon-1", Part.YELLOWS, List.of(YELLOW, GREEN)),
            noun("mug", "mug-1", Part.GREENS, PAINT),
            noun("mushroom", "mushroom-1", Part.REDS, List.of(RED, ORANGE, PURPLE, BLUE, BROWN)),
            noun("pear", "pear-2", Part.GREENS, FRUIT),
            noun("penguin", "penguin-1", Part.NONE, List.of()),
            noun("pineapple", "pineapple-1", Part.NONE, List.of()),
            noun("pumpkin", "pumpkin-1", Part.ORANGES, List.of(ORANGE, YELLOW, GREEN, WHITE)),
            noun("rocket", "rocket-1", Part.NEUTRAL, BRIGHT),
            noun("snowman", "snowman-1", Part.NONE, List.of()),
            noun("strawberry", "strawberry-1", Part.REDS, List.of(RED, PINK, PURPLE)),
            noun("sun", "sun-1", Part.NONE, List.of()),
            noun("teapot", "teapot-1", Part.NEUTRAL, PAINT),
            noun("tent", "tent-1", Part.ORANGES, BRIGHT),
            noun("tree", "fir-tree-1", Part.GREENS, List.of(GREEN, BLUE, YELLOW, ORANGE, PINK)),
            noun("umbrella", "umbrella-1", Part.VIVID, BRIGHT));

    private static Noun noun(String word, String art, Part part, List<Colour> colours) {
        return new Noun(word, art, part, true, colours);
    }

    private static Noun fixed(String word, String art, Part part, List<Colour> colours) {
        return new Noun(word, art, part, false, colours);
    }
}
