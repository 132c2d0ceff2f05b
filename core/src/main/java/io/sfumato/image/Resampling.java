package io.sfumato.image;

import java.util.function.DoubleUnaryOperator;

/**
 * Antialiased resampling filters. The arithmetic is that of Pillow's {@code Resample.c} (22-bit fixed-point weights, rows of 8 bits
 * between the two passes, colours multiplied by alpha), so that results equal Pillow's bit for bit.
 */
public enum Resampling {
    BILINEAR(1, x -> Math.max(0, 1 - Math.abs(x))),
    BICUBIC(2, Resampling::cubic),
    LANCZOS(3, Resampling::lanczos);

    private static final int PRECISION = 22;

    private final double support;
    private final DoubleUnaryOperator kernel;

    Resampling(double support, DoubleUnaryOperator kernel) {
        this.support = support;
        this.kernel = kernel;
    }

    Image resize(Image image, int width, int height) {
        if (width < 1 || height < 1 || (long) width * height > Integer.MAX_VALUE / image.channels()
            || (long) width * image.height() > Integer.MAX_VALUE / image.channels()) {
            throw new IllegalArgumentException("cannot resize " + image + " to " + width + "x" + height);
        }
        if (width == image.width() && height == image.height()) {
            return image;
        }
        Image x = image.hasAlpha() ? multiplyByAlpha(image) : image;
        if (width != image.width()) {
            x = resizeRows(x, width);
        }
        if (height != image.height()) {
            x = resizeColumns(x, height);
        }
        return image.hasAlpha() ? divideByAlpha(x) : x;
    }

    private Image resizeRows(Image image, int width) {
        Weights weights = weights(image.width(), width);
        byte[] in = image.pixels();
        int channels = image.channels();
        byte[] out = new byte[width * image.height() * channels];
        for (int y = 0, o = 0; y < image.height(); y++) {
            for (int x = 0; x < width; x++) {
                int from = (y * image.width() + weights.first[x]) * channels;
                for (int c = 0; c < channels; c++) {
                    out[o++] = weights.sum(x, in, from + c, channels);
                }
            }
        }
        return new Image(width, image.height(), channels, out);
    }

    private Image resizeColumns(Image image, int height) {
        Weights weights = weights(image.height(), height);
        byte[] in = image.pixels();
        int stride = image.width() * image.channels();
        byte[] out = new byte[stride * height];
        for (int y = 0, o = 0; y < height; y++) {
            int from = weights.first[y] * stride;
            for (int i = 0; i < stride; i++) {
                out[o++] = weights.sum(y, in, from + i, stride);
            }
        }
        return new Image(image.width(), height, image.channels(), out);
    }

    /** For output i: the first input it reads and its fixed-point weights. */
    private record Weights(int[] first, int[][] of) {
        byte sum(int i, byte[] in, int from, int step) {
            int sum = 1 << PRECISION - 1;
            for (int weight : of[i]) {
                sum += (in[from] & 0xff) * weight;
                from += step;
            }
            return (byte) Math.min(Math.max(sum >> PRECISION, 0), 255);
        }
    }

    private Weights weights(int in, int out) {
        double scale = (double) in / out;
        double stretch = Math.max(scale, 1);                               // a smaller image averages over more of the larger one
        var weights = new Weights(new int[out], new int[out][]);
        for (int i = 0; i < out; i++) {
            double center = (i + 0.5) * scale;
            int first = Math.max(0, (int) (center - support * stretch + 0.5));
            int last = Math.min(in, (int) (center + support * stretch + 0.5));
            double[] values = new double[last - first];
            double total = 0;
            for (int j = 0; j < values.length; j++) {
                values[j] = kernel.applyAsDouble((j + first - center + 0.5) * (1 / stretch));
                total += values[j];
            }
            int[] fixed = new int[values.length];
            for (int j = 0; j < values.length; j++) {
                double value = (total == 0 ? values[j] : values[j] * (1 / total)) * (1 << PRECISION);
                fixed[j] = (int) (value < 0 ? value - 0.5 : value + 0.5);
            }
            weights.first[i] = first;
            weights.of[i] = fixed;
        }
        return weights;
    }

    private static Image multiplyByAlpha(Image image) {
        byte[] out = image.toBytes();
        for (int i = 0; i < out.length; i += 4) {
            int alpha = out[i + 3] & 0xff;
            for (int c = i; c < i + 3; c++) {
                out[c] = (byte) Bytes.divideBy255((out[c] & 0xff) * alpha);
            }
        }
        return new Image(image.width(), image.height(), 4, out);
    }

    private static Image divideByAlpha(Image image) {
        byte[] out = image.toBytes();
        for (int i = 0; i < out.length; i += 4) {
            int alpha = out[i + 3] & 0xff;
            for (int c = i; c < i + 3 && alpha != 0; c++) {
                out[c] = (byte) Math.min((out[c] & 0xff) * 255 / alpha, 255);
            }
        }
        return new Image(image.width(), image.height(), 4, out);
    }

    /** Keys' cubic convolution with a = -0.5. */
    private static double cubic(double x) {
        double a = -0.5;
        double t = Math.abs(x);
        if (t < 1) {
            return ((a + 2) * t - (a + 3)) * t * t + 1;
        }
        return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
    }

    private static double lanczos(double x) {
        return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
    }
}
