package io.sfumato.training.scenes;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Draws captioned scenes, each a pure function of its seed and safe to call from many threads. Seeds from 0 up to
 * {@link #HELD_OUT} are for training, those from {@link #HELD_OUT} on for validation and tests: no scene is in both by its seed.
 */
public final class Scenes {
    /** The first of the held-out seeds; training seeds are 0 to this, not counted. */
    public static final long HELD_OUT = 1L << 40;

    private static final Map<Colour, Integer> BACKGROUNDS = new EnumMap<>(Map.of(
            Colour.WHITE, 0xFFFFFF, Colour.GREY, 0xD6D6D6, Colour.BLUE, 0xCBE4FF, Colour.GREEN, 0xD3F0CC,
            Colour.PINK, 0xFFD6E6, Colour.YELLOW, 0xFFF4B8, Colour.PURPLE, 0xE2D4F7, Colour.ORANGE, 0xFFDDB8));

    /** Captions of one thing: %1$s is "a red apple", %2$s is "red apple". The first is drawn as often as all others together. */
    private static final List<String> ALONE = List.of(
            "%1$s", "%2$s", "a picture of %1$s", "a drawing of %1$s", "clip art of %1$s");

    /** Captions of two things: %1$s is the left one, %2$s the right one. */
    private static final List<String> PAIR = List.of(
            "%1$s left of %2$s", "%1$s to the left of %2$s", "%2$s right of %1$s", "%2$s to the right of %1$s",
            "%1$s on the left and %2$s on the right", "%1$s and %2$s", "%2$s and %1$s", "%1$s next to %2$s", "%2$s next to %1$s");

    private static final String ON_BACKGROUND = "%s on %s background";

    private final Config config;
    private final List<Sprite> natural;
    private final List<Sprite> recoloured;

    /**
     * What is drawn: the side of the square pictures in pixels (16 to 256), and the shares (0 to 1) of scenes with two things, of
     * things with a colour word where their noun takes one, and of captions that name the background; and which nouns, all if none.
     */
    public record Config(int size, double pairs, double coloured, double namedBackgrounds, List<String> nouns) {
        public Config {
            nouns = List.copyOf(nouns.isEmpty() ? Scenes.nouns() : nouns);
            nouns.forEach(Scenes::indexOf);
            if (nouns.stream().distinct().count() < 2) {
                throw new IllegalArgumentException("Scenes need two nouns or more, got " + nouns);
            }
            if (size < 16 || size > 256) {
                throw new IllegalArgumentException("Scenes are 16 to 256 pixels wide, got " + size);
            }
            share("pairs", pairs);
            share("coloured", coloured);
            share("namedBackgrounds", namedBackgrounds);
        }

        /** All nouns. */
        public Config(int size, double pairs, double coloured, double namedBackgrounds) {
            this(size, pairs, coloured, namedBackgrounds, List.of());
        }

        /** 35% pairs, 60% with a colour word, 25% with the background named. */
        public static Config ofSize(int size) {
            return new Config(size, 0.35, 0.6, 0.25);
        }

        private static void share(String name, double value) {
            if (!(value >= 0 && value <= 1)) {
                throw new IllegalArgumentException("The share '" + name + "' of scenes must be 0 to 1, got " + value);
            }
        }
    }

    public Scenes(Config config, ClipArt art) {
        this.config = config;
        // Twice the frame keeps all the detail that the largest drawing can show.
        this.natural = Noun.ALL.stream().map(n -> Sprite.of(art.picture(n.art()), Part.NONE).within(2 * config.size())).toList();
        this.recoloured = Noun.ALL.stream().map(n -> Sprite.of(art.picture(n.art()), n.part()).within(2 * config.size())).toList();
    }

    /** What is drawn. */
    public Config config() {
        return config;
    }

    /** The nouns, in the order of their indices. */
    public static List<String> nouns() {
        return Noun.ALL.stream().map(Noun::word).toList();
    }

    /** The colour words of things and backgrounds. */
    public static List<String> colours() {
        return List.of(Colour.values()).stream().map(Colour::word).toList();
    }

    /** The colour words a noun may take; none for a noun that only comes in its own colours. */
    public static List<String> coloursOf(String noun) {
        return Noun.ALL.get(indexOf(noun)).colours().stream().map(Colour::word).toList();
    }

    private static int indexOf(String noun) {
        int index = nouns().indexOf(noun);
        if (index < 0) {
            throw new IllegalArgumentException("No noun '" + noun + "' in the scenes; they are " + String.join(", ", nouns()));
        }
        return index;
    }

    /** Every word that captions are made of, sorted. */
    public static Set<String> vocabulary() {
        var words = new TreeSet<String>(List.of("a", "an"));
        words.addAll(nouns());
        words.addAll(colours());
        for (var templates : List.of(ALONE, PAIR, List.of(ON_BACKGROUND))) {
            templates.forEach(t -> words.addAll(List.of(t.replaceAll("%\\S*s", " ").trim().split(" +"))));
        }
        words.remove("");
        return Collections.unmodifiableSet(words);
    }

    /** The scene of a seed, 0 or more. */
    public Scene scene(long seed) {
        if (seed < 0) {
            throw new IllegalArgumentException("A scene's seed must be 0 or more, got " + seed);
        }
        var random = new SplittableRandom(seed);
        var cast = new ArrayList<Actor>();
        cast.add(actor(random));
        if (random.nextDouble() < config.pairs()) {
            var second = actor(random);
            while (second.index() == cast.get(0).index()) {
                second = actor(random);
            }
            cast.add(second);
        }
        var background = background(cast, random);
        var canvas = canvas(BACKGROUNDS.get(background));
        var things = new ArrayList<Scene.Thing>();
        for (int i = 0; i < cast.size(); i++) {
            things.add(draw(canvas, cast.get(i), i, cast.size(), random));
        }
        return new Scene(config.size(), bytes(canvas), caption(cast, background, random), things, background.word());
    }

    /** A thing before it has a place: its noun's index and its colour word or {@link Scene#NATURAL}, and that colour. */
    private record Actor(int index, String colour, int rgb) {
        String phrase() {
            var noun = Noun.ALL.get(index).word();
            return colour.equals(Scene.NATURAL) ? noun : colour + " " + noun;
        }
    }

    private Actor actor(SplittableRandom random) {
        int index = indexOf(config.nouns().get(random.nextInt(config.nouns().size())));
        var colours = Noun.ALL.get(index).colours();
        if (colours.isEmpty() || random.nextDouble() >= config.coloured()) {
            return new Actor(index, Scene.NATURAL, 0);
        }
        var colour = colours.get(random.nextInt(colours.size()));
        return new Actor(index, colour.word(), colour.rgb());
    }

    /** Any background but one of a thing's own colour word. */
    private static Colour background(List<Actor> cast, SplittableRandom random) {
        var free = BACKGROUNDS.keySet().stream()
                .filter(b -> cast.stream().noneMatch(a -> a.colour().equals(b.word()))).toList();
        return free.get(random.nextInt(free.size()));
    }

    /** Draws one of so many things, each in its own column of the frame. */
    private Scene.Thing draw(float[] canvas, Actor actor, int column, int columns, SplittableRandom random) {
        var noun = Noun.ALL.get(actor.index());
        boolean inOwnColours = actor.colour().equals(Scene.NATURAL);
        var sprite = (inOwnColours ? natural : recoloured).get(actor.index());
        double size = config.size(), room = size / columns;
        double scale = columns == 1
                ? size * between(0.68, 0.85, random) / Math.max(sprite.width(), sprite.height())
                : between(0.82, 0.98, random) * Math.min(room / sprite.width(), 0.65 * size / sprite.height());
        double w = sprite.width() * scale, h = sprite.height() * scale;
        double x = column * room + (room - w) * between(0.2, 0.8, random);
        double y = (size - h) * between(0.2, 0.8, random);
        boolean mirror = noun.mirrored() && random.nextBoolean();
        sprite.draw(canvas, config.size(), x, y, w, h, mirror, actor.rgb());
        var box = new Scene.Box((int) x, (int) y, (int) Math.ceil(x + w), (int) Math.ceil(y + h));
        return new Scene.Thing(noun.word(), actor.index(), actor.colour(), box);
    }

    private static double between(double low, double high, SplittableRandom random) {
        return low + (high - low) * random.nextDouble();
    }

    private float[] canvas(int rgb) {
        var canvas = new float[config.size() * config.size() * 3];
        for (int i = 0; i < canvas.length; i++) {
            canvas[i] = rgb >> 16 - 8 * (i % 3) & 255;
        }
        return canvas;
    }

    private static byte[] bytes(float[] canvas) {
        var bytes = new byte[canvas.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Math.max(0, Math.min(255, Math.round(canvas[i])));
        }
        return bytes;
    }

    private String caption(List<Actor> cast, Colour background, SplittableRandom random) {
        var first = cast.get(0).phrase();
        String caption;
        if (cast.size() == 1) {
            var template = random.nextBoolean() ? ALONE.get(0) : ALONE.get(1 + random.nextInt(ALONE.size() - 1));
            caption = template.formatted(withArticle(first), first);
        } else {
            caption = PAIR.get(random.nextInt(PAIR.size())).formatted(withArticle(first), withArticle(cast.get(1).phrase()));
        }
        return random.nextDouble() < config.namedBackgrounds()
                ? ON_BACKGROUND.formatted(caption, withArticle(background.word())) : caption;
    }

    private static String withArticle(String phrase) {
        return ("aeiou".indexOf(phrase.charAt(0)) >= 0 ? "an " : "a ") + phrase;
    }
}
