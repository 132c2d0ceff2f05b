package io.sfumato.training.world;

import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.scenes.Part;
import io.sfumato.training.scenes.Sprite;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Clip art as sprites at halved sizes, read when first drawn; safe to use from many threads. */
final class Art {
    private static final int SMALLEST = 16;

    private final ClipArt source;
    private final int largest;
    private final Map<String, Picture> natural = new ConcurrentHashMap<>();
    private final Map<String, Picture> painted = new ConcurrentHashMap<>();

    /** Width over height, and the sprites, the largest first. */
    private record Picture(double aspect, List<Sprite> levels) {
    }

    /** Sprites of at most {@code largest} pixels. */
    Art(ClipArt source, int largest) {
        this.source = source;
        this.largest = largest;
    }

    /** Width over height. */
    double aspect(ClipArt.Entry look) {
        return picture(look, false).aspect();
    }

    /** Draws a look into a canvas of size * size pixels at a box, in its own colours or with its part painted {@code rgb}. */
    void draw(ClipArt.Entry look, float[] canvas, int size, Box box, boolean mirror, boolean paints, int rgb) {
        List<Sprite> levels = picture(look, paints).levels();
        double width = box.width() * size;
        Sprite fit = levels.get(0);
        for (Sprite level : levels) {
            fit = level.width() >= width ? level : fit;
        }
        fit.draw(canvas, size, box.left() * size, box.top() * size, width, box.height() * size, mirror, rgb);
    }

    private Picture picture(ClipArt.Entry look, boolean paints) {
        return (paints ? painted : natural).computeIfAbsent(look.picture(), name -> {
            Sprite whole = Sprite.of(source.picture(name), paints ? look.part() : Part.NONE), sprite = whole.within(largest);
            List<Sprite> levels = new ArrayList<>();
            for (int side = largest; side >= SMALLEST; side /= 2) {
                levels.add(sprite.within(side));
            }
            return new Picture((double) whole.width() / whole.height(), List.copyOf(levels));
        });
    }
}
