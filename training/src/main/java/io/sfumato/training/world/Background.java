package io.sfumato.training.world;

import io.sfumato.training.scenes.Colour;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;

/** What is behind the things of a scene; what it paints is a pure function of the random numbers, and alike at every size. */
public enum Background {
    SKY(Set.of(Colour.BLUE, Colour.WHITE), "in the sky", "against a blue sky", "under a blue sky"),
    GRASS(Set.of(Colour.GREEN), "on the grass", "in a meadow", "on a green field"),
    SAND(Set.of(Colour.YELLOW, Colour.ORANGE, Colour.BROWN), "on the sand", "on a beach", "in the desert"),
    SEA(Set.of(Colour.BLUE), "on the sea", "in the water", "at sea"),
    SNOW(Set.of(Colour.WHITE), "in the snow", "on snow", "in winter"),
    NIGHT(Set.of(Colour.BLACK, Colour.BLUE, Colour.PURPLE), "at night", "under the stars", "in the dark"),
    ROOM(Set.of(Colour.BROWN), "in a room", "indoors", "on a wooden floor"),
    PLAIN(Set.of());

    /** Paints of {@link #PLAIN}. */
    private static final List<Colour> PLAIN_COLOURS = List.of(Colour.WHITE, Colour.GREY, Colour.BLUE, Colour.GREEN, Colour.PINK,
            Colour.YELLOW, Colour.PURPLE, Colour.ORANGE);
    private static final int[] PLAIN_PAINTS = {0xFFFFFF, 0xD6D6D6, 0xCBE4FF, 0xD3F0CC, 0xFFD6E6, 0xFFF4B8, 0xE2D4F7, 0xFFDDB8};
    private static final int[] WALLS = {0xF3E3C8, 0xD9E6EC, 0xE6DDF0, 0xE1EBD6};

    private final Set<Colour> hides;
    private final List<String> phrases;

    Background(Set<Colour> hides, String... phrases) {
        this.hides = hides;
        this.phrases = List.of(phrases);
    }

    /** A background as painted once: {@code colour} is what a caption may call a plain one, the first of the colours otherwise. */
    record Painted(Background kind, Colour colour, long seed) {
        /** Whether things of that colour would be lost on it. */
        boolean hides(Colour thing) {
            return kind == PLAIN ? colour == thing : kind.hides.contains(thing);
        }

        /** Where captions may say that things are. */
        List<String> phrases() {
            String word = colour.word();
            return kind == PLAIN ? List.of("on " + (word.equals("orange") ? "an " : "a ") + word + " background", "on " + word)
                    : kind.phrases;
        }
    }

    Painted pick(SplittableRandom random) {
        return new Painted(this, PLAIN_COLOURS.get(random.nextInt(PLAIN_COLOURS.size())), random.nextLong());
    }

    /** The word in files. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Fills an RGB canvas of size * size pixels. */
    static void paint(Painted painted, float[] canvas, int size) {
        SplittableRandom random = new SplittableRandom(painted.seed());
        Brush brush = new Brush(canvas, size);
        double horizon = 0.42 + 0.2 * random.nextDouble();
        switch (painted.kind()) {
            case SKY -> {
                brush.fade(0, 1, 0x86C5F2, 0xD9EFFC);
                for (int i = 0; i < 3; i++) {
                    brush.blot(random.nextDouble(), random.nextDouble(), 0.3, 0.07, 0xFFFFFF, 0.5);
                }
            }
            case GRASS -> {
                brush.land(horizon, 0xA9D9F5, 0xE3F4FC, 0x9AD672, 0x63AE42);
                brush.dots(horizon, 1, 60, 0x559C38, random);
            }
            case SAND -> {
                brush.land(horizon, 0xB9E2F2, 0xF0F8F4, 0xF5E4B5, 0xE2C183);
                brush.dots(horizon, 1, 60, 0xC9A869, random);
            }
            case SEA -> {
                brush.land(horizon, 0xBFE3F7, 0xEFF8FC, 0x5FB3DC, 0x2D7CB8);
                brush.dashes(horizon, 1, 26, 0xB4DDF2, random);
            }
            case SNOW -> {
                brush.land(horizon, 0xB4C4D8, 0xDCE5EF, 0xFBFDFF, 0xDFE8F2);
                brush.dots(0, 1, 50, 0xFFFFFF, random);
            }
            case NIGHT -> {
                brush.fade(0, 1, 0x1A2250, 0x47539A);
                brush.dots(0, 1, 40, 0xFFF7CC, random);
            }
            case ROOM -> {
                int wall = WALLS[random.nextInt(WALLS.length)];
                brush.land(horizon, wall, wall, 0xC99D6B, 0xB98A58);
                brush.fade(horizon - 0.03, horizon, 0xFFFFFF, 0xEFEFEF);
                for (int i = 1; i < 5; i++) {
                    double y = horizon + (1 - horizon) * i * i / 25;
                    brush.fade(y, y + 0.008, 0xA87B4C, 0xA87B4C);
                }
            }
            case PLAIN -> {
                int paint = PLAIN_PAINTS[PLAIN_COLOURS.indexOf(painted.colour())];
                brush.fade(0, 1, paint, paint);
            }
        }
    }

    /** Paints on a canvas in fractions of it; what is smaller than a pixel is mixed in by its share. */
    private record Brush(float[] canvas, int size) {
        /** Above the horizon one fade, below it another. */
        void land(double horizon, int skyTop, int skyBottom, int top, int bottom) {
            fade(0, 1, skyBottom, skyBottom);
            fade(0, horizon, skyTop, skyBottom);
            fade(horizon, 1, top, bottom);
        }

        /** Rows from {@code top} to {@code bottom}, from one colour to the other. */
        void fade(double top, double bottom, int from, int to) {
            for (int y = (int) (top * size); y < Math.min(size, Math.ceil(bottom * size)); y++) {
                double cover = Math.min(y + 1, bottom * size) - Math.max(y, top * size);
                double at = Math.max(0, Math.min(1, ((y + 0.5) / size - top) / (bottom - top)));
                for (int c = 0; c < 3; c++) {
                    float value = (float) (channel(from, c) + at * (channel(to, c) - channel(from, c)));
                    float share = (float) Math.min(1, cover);
                    for (int i = (y * size) * 3 + c; i < (y + 1) * size * 3; i += 3) {
                        canvas[i] += share * (value - canvas[i]);
                    }
                }
            }
        }

        /** A soft ellipse. */
        void blot(double x, double y, double width, double height, int rgb, double strength) {
            for (int row = (int) Math.max(0, (y - height) * size); row < Math.min(size, (y + height) * size); row++) {
                for (int column = (int) Math.max(0, (x - width) * size); column < Math.min(size, (x + width) * size); column++) {
                    double dx = ((column + 0.5) / size - x) / width, dy = ((row + 0.5) / size - y) / height;
                    mix(column, row, rgb, strength * Math.max(0, 1 - dx * dx - dy * dy));
                }
            }
        }

        void dots(double top, double bottom, int count, int rgb, SplittableRandom random) {
            double side = 1.0 / 80;
            for (int i = 0; i < count; i++) {
                patch(random.nextDouble(), top + (bottom - top) * random.nextDouble(), side, side, rgb);
            }
        }

        void dashes(double top, double bottom, int count, int rgb, SplittableRandom random) {
            for (int i = 0; i < count; i++) {
                patch(random.nextDouble(), top + (bottom - top) * random.nextDouble(), 0.07, 1.0 / 100, rgb);
            }
        }

        private void patch(double x, double y, double width, double height, int rgb) {
            for (int row = (int) (y * size); row < Math.min(size, Math.ceil((y + height) * size)); row++) {
                double high = Math.min(row + 1, (y + height) * size) - Math.max(row, y * size);
                for (int column = (int) (x * size); column < Math.min(size, Math.ceil((x + width) * size)); column++) {
                    double wide = Math.min(column + 1, (x + width) * size) - Math.max(column, x * size);
                    mix(column, row, rgb, 0.7 * high * wide);
                }
            }
        }

        private void mix(int column, int row, int rgb, double share) {
            int at = (row * size + column) * 3;
            for (int c = 0; c < 3; c++) {
                canvas[at + c] += (float) share * (channel(rgb, c) - canvas[at + c]);
            }
        }

        private static int channel(int rgb, int c) {
            return rgb >> 16 - 8 * c & 255;
        }
    }
}
