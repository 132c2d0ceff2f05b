package io.sfumato.training.scenes;

import java.awt.image.BufferedImage;
import java.util.Arrays;

/**
 * A picture with one free colour, ready to be drawn at any place, size and colour. A pixel is {@code rest + shade * colour}, with its
 * alpha, all premultiplied: as that is linear, one area filter serves every colour. The five channels of a pixel are the rest's red,
 * green and blue (0 to 255), alpha and shade (0 to 1).
 */
record Sprite(int width, int height, float[] channels) {
    private static final int CHANNELS = 5;
    private static final int DARK = 40;
    private static final double GLOSS = 0.6;

    /**
     * Frees the colour of a part of a picture. The shade follows the pixel's lightness against the part's median, darker pixels
     * shading the colour towards black and lighter ones mixing it with white, so that drawn lines and gloss survive.
     */
    static Sprite of(BufferedImage image, Noun.Part part) {
        int W = image.getWidth(), H = image.getHeight();
        double middle = medianLightness(image, part);
        var channels = new float[W * H * CHANNELS];
        for (int i = 0; i < W * H; i++) {
            int argb = image.getRGB(i % W, i / W);
            int red = argb >> 16 & 255, green = argb >> 8 & 255, blue = argb & 255;
            double alpha = (argb >>> 24) / 255.0;
            double weight = part.weight(red, green, blue);
            double light = lightness(argb);
            double gloss = light <= middle ? 0 : GLOSS * (light - middle) / (255 - middle);
            double kept = alpha * (1 - weight);
            double white = alpha * weight * gloss * 255;
            int at = i * CHANNELS;
            channels[at] = (float) (red * kept + white);
            channels[at + 1] = (float) (green * kept + white);
            channels[at + 2] = (float) (blue * kept + white);
            channels[at + 3] = (float) alpha;
            channels[at + 4] = (float) (alpha * weight * (1 - gloss) * Math.min(1, light / middle));
        }
        return new Sprite(W, H, channels);
    }

    /** HSL lightness, 0 to 255: unlike luminance it is the same for a pure blue and a pure yellow, which must take a colour alike. */
    private static double lightness(int rgb) {
        int red = rgb >> 16 & 255, green = rgb >> 8 & 255, blue = rgb & 255;
        return (Math.max(red, Math.max(green, blue)) + Math.min(red, Math.min(green, blue))) / 2.0;
    }

    /** Black outlines do not count; 255 where nothing does. */
    private static double medianLightness(BufferedImage image, Noun.Part part) {
        int W = image.getWidth(), H = image.getHeight();
        var lights = Arrays.stream(image.getRGB(0, 0, W, H, null, 0, W))
                .filter(p -> p >>> 24 > 127 && lightness(p) > DARK && part.weight(p >> 16 & 255, p >> 8 & 255, p & 255) > 0.5)
                .mapToDouble(Sprite::lightness).sorted().toArray();
        return lights.length == 0 ? 255 : lights[lights.length / 2];
    }

    /** This sprite with its longer side at most so many pixels. */
    Sprite within(int side) {
        double scale = (double) side / Math.max(width, height);
        if (scale >= 1) {
            return this;
        }
        int w = (int) Math.max(1, Math.round(width * scale)), h = (int) Math.max(1, Math.round(height * scale));
        var scaled = new float[w * h * CHANNELS];
        var pixel = new float[CHANNELS];
        for (int i = 0; i < w * h; i++) {
            average(i % w * (double) width / w, (i % w + 1) * (double) width / w,
                    i / w * (double) height / h, (i / w + 1) * (double) height / h, pixel);
            System.arraycopy(pixel, 0, scaled, i * CHANNELS, CHANNELS);
        }
        return new Sprite(w, h, scaled);
    }

    /**
     * Draws into a square RGB canvas (size * size * 3 values, 0 to 255) with the sprite's box at (x, y), w by h pixels, all of them
     * fractions of a pixel allowed: every canvas pixel gets the exact average of the part of the sprite under it.
     */
    void draw(float[] canvas, int size, double x, double y, double w, double h, boolean mirror, int rgb) {
        var pixel = new float[CHANNELS];
        for (int row = (int) Math.max(0, Math.floor(y)); row < Math.min(size, Math.ceil(y + h)); row++) {
            for (int column = (int) Math.max(0, Math.floor(x)); column < Math.min(size, Math.ceil(x + w)); column++) {
                double left = (column - x) / w * width, right = (column + 1 - x) / w * width;
                average(mirror ? width - right : left, mirror ? width - left : right,
                        (row - y) / h * height, (row + 1 - y) / h * height, pixel);
                int at = (row * size + column) * 3;
                for (int c = 0; c < 3; c++) {
                    canvas[at + c] = canvas[at + c] * (1 - pixel[3]) + pixel[c] + pixel[4] * (rgb >> 16 - 8 * c & 255);
                }
            }
        }
    }

    /** The mean of a rectangle of the picture, which is transparent beyond its borders. */
    private void average(double left, double right, double top, double bottom, float[] mean) {
        Arrays.fill(mean, 0);
        double area = (right - left) * (bottom - top);
        for (int row = (int) Math.max(0, Math.floor(top)); row < Math.min(height, Math.ceil(bottom)); row++) {
            double high = Math.min(row + 1, bottom) - Math.max(row, top);
            for (int column = (int) Math.max(0, Math.floor(left)); column < Math.min(width, Math.ceil(right)); column++) {
                float share = (float) (high * (Math.min(column + 1, right) - Math.max(column, left)) / area);
                int at = (row * width + column) * CHANNELS;
                for (int c = 0; c < CHANNELS; c++) {
                    mean[c] += share * channels[at + c];
                }
            }
        }
    }
}
