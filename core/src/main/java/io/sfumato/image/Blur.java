package io.sfumato.image;

/**
 * A Gaussian blur as three box blurs in each direction (Gwosdek et al. 2011, extended box filter), whose cost does not grow with the
 * radius. The arithmetic is that of Pillow's {@code BoxBlur.c}, so that results equal Pillow's {@code GaussianBlur} bit for bit.
 */
final class Blur {
    private static final int PASSES = 3;

    private Blur() {
    }

    /** @param radius the standard deviation in pixels */
    static Image gaussian(Image image, double radius) {
        if (!(radius >= 0) || radius > 1 << 14) {
            throw new IllegalArgumentException("a blur of radius " + radius + ": 0 to 16384 is wanted");
        }
        float box = boxRadius((float) radius);
        if (box == 0) {
            return image;
        }
        byte[] pixels = image.toBytes();
        int w = image.width(), h = image.height(), c = image.channels();
        for (int i = 0; i < PASSES; i++) {
            lines(pixels, h, w * c, c, w, c, box);
        }
        for (int i = 0; i < PASSES; i++) {
            lines(pixels, w, c, c, h, w * c, box);
        }
        return new Image(w, h, c, pixels);
    }

    /** The radius of a box, with a part of a pixel at its ends, that blurs in three passes as much as a Gaussian. */
    private static float boxRadius(float sigma) {
        float variance = sigma * sigma / PASSES;
        float length = (float) Math.sqrt(12.0 * variance + 1.0);
        float whole = (float) Math.floor((length - 1.0) / 2.0);
        float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
        return whole + part / (6 * (variance - (whole + 1) * (whole + 1)));
    }

    /** Blurs {@code count} lines, {@code apart} bytes from each other, of {@code length} pixels that are {@code step} bytes apart. */
    private static void lines(byte[] pixels, int count, int apart, int channels, int length, int step, float box) {
        int radius = (int) box;
        int inner = (int) ((1 << 24) / (box * 2 + 1));
        int outer = ((1 << 24) - (radius * 2 + 1) * inner) / 2;
        int[] line = new int[length];
        for (int k = 0; k < count * channels; k++) {
            int from = k / channels * apart + k % channels;
            for (int x = 0; x < length; x++) {
                line[x] = pixels[from + x * step] & 0xff;
            }
            int sum = 0;
            for (int x = -radius - 1; x < radius; x++) {
                sum += line[clamp(x, length)];
            }
            for (int x = 0; x < length; x++) {
                int left = line[clamp(x - radius - 1, length)];
                sum += line[clamp(x + radius, length)] - left;
                long blurred = (long) sum * inner + (long) (left + line[clamp(x + radius + 1, length)]) * outer;
                pixels[from + x * step] = (byte) (blurred + (1 << 23) >> 24);
            }
        }
    }

    private static int clamp(int x, int length) {
        return Math.min(Math.max(x, 0), length - 1);
    }
}
