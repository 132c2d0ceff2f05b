package io.sfumato.training.world;

import java.util.List;

/** How a scene is drawn: what is done to the finished picture, and how captions begin. */
public enum Style {
    /** As the clip art is. */
    FLAT,
    /** Dark contours around washed-out colours. */
    OUTLINE("an outline drawing of %s", "a line drawing of %s", "%s in outline"),
    /** Grey pencil on white paper: no colours. */
    SKETCH("a sketch of %s", "a pencil sketch of %s", "a pencil drawing of %s"),
    /** 32 by 32 squares of few colours. */
    PIXEL_ART("pixel art of %s", "%s in pixel art", "an 8-bit picture of %s");

    private static final int SQUARES = 32;
    private static final float LEVEL = 36;

    private final List<String> phrases;

    Style(String... phrases) {
        this.phrases = List.of(phrases);
    }

    /** Captions that name the style; none for {@link #FLAT}. */
    List<String> phrases() {
        return phrases;
    }

    /** Whether colours can still be seen. */
    boolean showsColours() {
        return this != SKETCH;
    }

    /** Turns an RGB canvas of size * size pixels into this style. */
    void apply(float[] canvas, int size) {
        switch (this) {
            case FLAT -> { }
            case OUTLINE -> {
                float[] edges = edges(grey(canvas), size);
                for (int i = 0; i < canvas.length; i++) {
                    float wash = 255 - 0.55f * (255 - Math.round(canvas[i] / LEVEL) * LEVEL);
                    canvas[i] = wash * (1 - edges[i / 3]) + 25 * edges[i / 3];
                }
            }
            case SKETCH -> {
                float[] grey = grey(canvas), edges = edges(grey, size);
                for (int i = 0; i < canvas.length; i++) {
                    float paper = 250 - 0.45f * Math.max(0, 225 - grey[i / 3]);
                    canvas[i] = paper * (1 - edges[i / 3]) + 70 * edges[i / 3];
                }
            }
            case PIXEL_ART -> squares(canvas, size);
        }
    }

    private static float[] grey(float[] canvas) {
        float[] grey = new float[canvas.length / 3];
        for (int i = 0; i < grey.length; i++) {
            grey[i] = 0.299f * canvas[3 * i] + 0.587f * canvas[3 * i + 1] + 0.114f * canvas[3 * i + 2];
        }
        return grey;
    }

    /** The strength of edges, 0 to 1, over a distance that grows with the picture. */
    private static float[] edges(float[] grey, int size) {
        int reach = Math.max(1, size / 100);
        float[] edges = new float[grey.length];
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                float dx = grey[y * size + Math.min(size - 1, x + reach)] - grey[y * size + Math.max(0, x - reach)];
                float dy = grey[Math.min(size - 1, y + reach) * size + x] - grey[Math.max(0, y - reach) * size + x];
                edges[y * size + x] = Math.max(0, Math.min(1, ((float) Math.sqrt(dx * dx + dy * dy) - 25) / 90));
            }
        }
        return edges;
    }

    private static void squares(float[] canvas, int size) {
        int side = Math.max(1, size / SQUARES);
        for (int top = 0; top < size; top += side) {
            for (int left = 0; left < size; left += side) {
                int bottom = Math.min(size, top + side), right = Math.min(size, left + side);
                for (int c = 0; c < 3; c++) {
                    float sum = 0;
                    for (int y = top; y < bottom; y++) {
                        for (int x = left; x < right; x++) {
                            sum += canvas[(y * size + x) * 3 + c];
                        }
                    }
                    float level = Math.round(sum / ((bottom - top) * (right - left)) / LEVEL) * LEVEL;
                    for (int y = top; y < bottom; y++) {
                        for (int x = left; x < right; x++) {
                            canvas[(y * size + x) * 3 + c] = level;
                        }
                    }
                }
            }
        }
    }
}
