package io.sfumato.training.scenes;

import java.awt.image.BufferedImage;
import java.util.Arrays;

/**
 * A picture with one free colour, ready to be drawn at any place, size and colour. A pixel is {@code rest + shade * colour}, with its
 * alpha, all premultiplied: as that is linear, one area filter serves every colour. The five channels of a pixel are the rest's red,
 * green and blue, alpha and shade, unsigned bytes each.
 */
public record Sprite(int width, int height, byte[] channels) {
    private static final int CHANNELS = 5;
    private static final int DARK = 40;
    private static final double GLOSS = 0.6;

    /**
     * Frees the colour of a part of a picture. The shade follows the pixel's lightness against the part's median, darker pixels
     * shading the colour towards black and lighter ones mixing it with white, so that drawn lines and gloss survive.
     */
    public static Sprite of(BufferedImage image, Part part) {
        int W = image.getWidth(), H = image.getHeight();
        int[] pixels = image.getRGB(0, 0, W, H, null, 0, W);
        double middle = medianLightness(pixels, part);
        var channels = new byte[W * H * CHANNELS];
        for (int i = 0; i < W * H; i++) {
            int argb = pixels[i];
            int red = argb >> 16 & 255, green = argb >> 8 & 255, blue = argb & 255;
            double alpha = (argb >>> 24) / 255.0;
            double weight = part.weight(red, green, blue);
            double light = lightness(argb);
            double gloss = light <= middle ? 0 : GLOSS * (light - middle) / (255 - middle);
            double kept = alpha * (1 - weight);
            double white = alpha * weight * gloss * 255;
            int at = i * CHANNELS;
            channels[at] = rounded(red * kept + white);
            channels[at + 1] = rounded(green * kept + white);
            channels[at + 2] = rounded(blue * kept + white);
            channels[at + 3] = (byte) (argb >>> 24);
            channels[at + 4] = rounded(255 * alpha * weight * (1 - gloss) * Math.min(1, light / middle));
        }
        return new Sprite(W, H, channels);
    }

    /** HSL lightness, 0 to 255: unlike luminance it is the same for a pure blue and a pure yellow, which must take a colour alike. */
    private static double lightness(int rgb) {
        int red = rgb >> 16 & 255, green = rgb >> 8 & 255, blue = rgb & 255;
        return (Math.max(red, Math.max(green, blue)) + Math.min(red, Math.min(green, blue))) / 2.0;
    }

    /** Black outlines do not count; 255 where nothing does. */
    private static double medianLightness(int[] pixels, Part part) {
        var lights = Arrays.stream(pixels)
                .filter(p -> p >>> 24 > 127 && lightness(p) > DARK && part.weight(p >> 16 & 255, p >> 8 & 255, p & 255) > 0.5)
                .mapToDouble(Sprite::lightness).sorted().toArray();
        return lights.length == 0 ? 255 : lights[lights.length / 2];
    }

    private static byte rounded(double value) {
        return (byte) Math.max(0, Math.min(255, Math.round(value)));
    }

    /** This sprite with its longer side at most so many pixels. */
    public Sprite within(int side) {
        double scale = (double) side / Math.max(width, height);
        if (scale >= 1) {
            return this;
        }
        int w = (int) Math.max(1, Math.round(width * scale)), h = (int) Math.max(1, Math.round(height * scale));
        var columns = Spans.of(0, 0, w, w, width, false);
        var rows = Spans.of(0, 0, h, h, height, false);
        var scaled = new byte[w * h * CHANNELS];
        var pixel = new float[CHANNELS];
        for (int i = 0; i < w * h; i++) {
            average(columns, i % w, rows, i / w, pixel);
            for (int c = 0; c < CHANNELS; c++) {
                scaled[i * CHANNELS + c] = rounded(pixel[c]);
            }
        }
        return new Sprite(w, h, scaled);
    }

    /**
     * Draws into a square RGB canvas (size * size * 3 values, 0 to 255) with the sprite's box at (x, y), w by h pixels, all of them
     * fractions of a pixel allowed: every canvas pixel gets the exact average of the part of the sprite under it.
     */
    public void draw(float[] canvas, int size, double x, double y, double w, double h, boolean mirror, int rgb) {
        var columns = Spans.of((int) Math.max(0, Math.floor(x)), x, w, (int) Math.min(size, Math.ceil(x + w)), width, mirror);
        var rows = Spans.of((int) Math.max(0, Math.floor(y)), y, h, (int) Math.min(size, Math.ceil(y + h)), height, false);
        var pixel = new float[CHANNELS];
        for (int row = 0; row < rows.count(); row++) {
            for (int column = 0; column < columns.count(); column++) {
                average(columns, column, rows, row, pixel);
                if (pixel[3] == 0) {
                    continue;
                }
                int at = ((rows.first() + row) * size + columns.first() + column) * 3;
                float behind = 1 - pixel[3] / 255, shade = pixel[4] / 255;
                for (int c = 0; c < 3; c++) {
                    canvas[at + c] = canvas[at + c] * behind + pixel[c] + shade * (rgb >> 16 - 8 * c & 255);
                }
            }
        }
    }

    /** The mean of a rectangle of the picture, which is transparent beyond its borders. */
    private void average(Spans columns, int column, Spans rows, int row, float[] mean) {
        float red = 0, green = 0, blue = 0, alpha = 0, shade = 0;
        for (int j = 0; j < rows.lengths()[row]; j++) {
            float high = rows.shares()[row][j];
            int line = (rows.starts()[row] + j) * width;
            for (int i = 0; i < columns.lengths()[column]; i++) {
                float share = high * columns.shares()[column][i];
                int at = (line + columns.starts()[column] + i) * CHANNELS;
                red += share * (channels[at] & 255);
                green += share * (channels[at + 1] & 255);
                blue += share * (channels[at + 2] & 255);
                alpha += share * (channels[at + 3] & 255);
                shade += share * (channels[at + 4] & 255);
            }
        }
        mean[0] = red;
        mean[1] = green;
        mean[2] = blue;
        mean[3] = alpha;
        mean[4] = shade;
    }

    /** Along one axis, the sprite's pixels under each canvas pixel from {@code first} on, and the share of each in its mean. */
    private record Spans(int first, int[] starts, int[] lengths, float[][] shares) {
        /** Canvas pixels {@code first} to {@code end} under a box of {@code length} pixels at {@code from}, over {@code source} pixels. */
        static Spans of(int first, double from, double length, int end, int source, boolean mirror) {
            int count = Math.max(0, end - first);
            var starts = new int[count];
            var lengths = new int[count];
            var shares = new float[count][];
            for (int i = 0; i < count; i++) {
                double low = (first + i - from) / length * source, high = (first + i + 1 - from) / length * source;
                double left = mirror ? source - high : low, right = mirror ? source - low : high;
                starts[i] = (int) Math.max(0, Math.floor(left));
                lengths[i] = Math.max(0, (int) Math.min(source, Math.ceil(right)) - starts[i]);
                shares[i] = new float[lengths[i]];
                for (int j = 0; j < lengths[i]; j++) {
                    int pixel = starts[i] + j;
                    shares[i][j] = (float) ((Math.min(pixel + 1, right) - Math.max(pixel, left)) / (right - left));
                }
            }
            return new Spans(first, starts, lengths, shares);
        }

        int count() {
            return starts.length;
        }
    }
}
