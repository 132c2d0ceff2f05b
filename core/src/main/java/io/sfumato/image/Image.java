package io.sfumato.image;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * An immutable picture of 8-bit sRGB pixels, rows from the top: interleaved red, green, blue (3 channels) or red, green, blue,
 * alpha (4 channels, colours not multiplied by alpha).
 */
public final class Image {
    private final int width;
    private final int height;
    private final int channels;
    private final byte[] pixels;                                           // (H, W, C)

    /** Takes {@code pixels} as they are, without a copy: the caller must not touch them again. */
    Image(int width, int height, int channels, byte[] pixels) {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("an image of " + width + "x" + height + ": both sides must be at least 1");
        }
        if (channels != 3 && channels != 4) {
            throw new IllegalArgumentException("an image of " + channels + " channels: 3 (RGB) or 4 (RGBA) expected");
        }
        if (pixels.length != (long) width * height * channels) {
            throw new IllegalArgumentException("an image of " + width + "x" + height + "x" + channels + " needs "
                + (long) width * height * channels + " values, got " + pixels.length);
        }
        this.width = width;
        this.height = height;
        this.channels = channels;
        this.pixels = pixels;
    }

    /** An image from interleaved bytes (H, W, C), C being 3 (RGB) or 4 (RGBA); the bytes are copied. */
    public static Image of(int width, int height, int channels, byte[] pixels) {
        return new Image(width, height, channels, pixels.clone());
    }

    /** An image of one colour, 0xRRGGBB. */
    public static Image filled(int width, int height, int rgb) {
        byte[] pixels = new byte[bytes(width, height, 3)];
        for (int i = 0; i < pixels.length; i += 3) {
            pixels[i] = (byte) (rgb >> 16);
            pixels[i + 1] = (byte) (rgb >> 8);
            pixels[i + 2] = (byte) rgb;
        }
        return new Image(width, height, 3, pixels);
    }

    /**
     * An image from planes (C, H, W) of values in [0, 1], C being 3 or 4: x becomes round(255 x), half to even as in NumPy and
     * diffusers. Values outside are clamped; NaN, which only a broken model makes, is an error.
     */
    public static Image fromChw(float[] planes, int width, int height) {
        int area = bytes(width, height, 1);
        int channels = planes.length == 4L * area ? 4 : 3;
        if (channels * (long) area != planes.length) {
            throw new IllegalArgumentException("planes of " + width + "x" + height + " need " + 3L * area + " or " + 4L * area
                + " values, got " + planes.length);
        }
        byte[] pixels = new byte[planes.length];
        for (int c = 0; c < channels; c++) {
            for (int i = 0; i < area; i++) {
                float x = planes[c * area + i];
                if (Float.isNaN(x)) {
                    throw new IllegalArgumentException("NaN at x " + i % width + ", y " + i / width + ", channel " + c);
                }
                pixels[i * channels + c] = (byte) Math.rint(Math.min(Math.max(x, 0f), 1f) * 255f);
            }
        }
        return new Image(width, height, channels, pixels);
    }

    /** Reads a PNG, JPEG or WebP file, known by its content, turned upright; see {@link ImageFile#read(Path)}. */
    public static Image read(Path path) {
        return ImageFile.read(path).image();
    }

    /** Writes the image without metadata, in the format of the name's ending; see {@link ImageFile#write(Path)}. */
    public void write(Path path) {
        ImageFile.of(this).write(path);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** 3 (RGB) or 4 (RGBA). */
    public int channels() {
        return channels;
    }

    public boolean hasAlpha() {
        return channels == 4;
    }

    /** The value in 0..255 of one channel of one pixel; x from the left, y from the top. */
    public int at(int x, int y, int channel) {
        if (x < 0 || x >= width || y < 0 || y >= height || channel < 0 || channel >= channels) {
            throw new IndexOutOfBoundsException("x " + x + ", y " + y + ", channel " + channel + " of " + this);
        }
        return pixels[(y * width + x) * channels + channel] & 0xff;
    }

    /** A copy of the interleaved bytes (H, W, C). */
    public byte[] toBytes() {
        return pixels.clone();
    }

    /** The pixels themselves, for this package's codecs, which only read them. */
    byte[] pixels() {
        return pixels;
    }

    /** Planes (C, H, W) of value / 255, in [0, 1]. */
    public float[] toChw() {
        int area = width * height;
        float[] planes = new float[pixels.length];
        for (int i = 0; i < area; i++) {
            for (int c = 0; c < channels; c++) {
                planes[c * area + i] = (pixels[i * channels + c] & 0xff) / 255f;
            }
        }
        return planes;
    }

    /** The image without its alpha plane: colours stay as they are, even where nothing was visible. */
    public Image rgb() {
        if (channels == 3) {
            return this;
        }
        byte[] out = new byte[width * height * 3];
        for (int i = 0, o = 0; o < out.length; i += 4, o += 3) {
            System.arraycopy(pixels, i, out, o, 3);
        }
        return new Image(width, height, 3, out);
    }

    /** The image laid over a background of one colour, 0xRRGGBB; no alpha is left. */
    public Image over(int background) {
        if (channels == 3) {
            return this;
        }
        byte[] out = new byte[width * height * 3];
        for (int i = 0, o = 0; o < out.length; i += 4, o += 3) {
            int alpha = pixels[i + 3] & 0xff;
            for (int c = 0; c < 3; c++) {
                int behind = background >> (16 - 8 * c) & 0xff;
                out[o + c] = (byte) Bytes.divideBy255((pixels[i + c] & 0xff) * alpha + behind * (255 - alpha));
            }
        }
        return new Image(width, height, 3, out);
    }

    /** The part of {@code width} x {@code height} pixels whose top left corner is (x, y); it must lie inside. */
    public Image crop(int x, int y, int width, int height) {
        if (x < 0 || y < 0 || width < 1 || height < 1 || x > this.width - width || y > this.height - height) {
            throw new IllegalArgumentException("a crop of " + width + "x" + height + " at " + x + "," + y
                + " does not lie inside an image of " + this.width + "x" + this.height);
        }
        byte[] out = new byte[width * height * channels];
        for (int row = 0; row < height; row++) {
            System.arraycopy(pixels, ((y + row) * this.width + x) * channels, out, row * width * channels, width * channels);
        }
        return new Image(width, height, channels, out);
    }

    /** The image at another size, antialiased; equal to Pillow's {@code Image.resize} bit for bit. */
    public Image resize(int width, int height, Resampling resampling) {
        return resampling.resize(this, width, height);
    }

    /** The image under a Gaussian blur of a standard deviation in pixels; equal to Pillow's {@code GaussianBlur} bit for bit. */
    public Image blur(double radius) {
        return Blur.gaussian(this, radius);
    }

    /** A contact sheet: images of one size, row by row from the top left; cells left over are black (and transparent with alpha). */
    public static Image grid(List<Image> images, int columns) {
        if (images.isEmpty() || columns < 1) {
            throw new IllegalArgumentException("a grid of " + images.size() + " images in " + columns
                + " columns: at least 1 of each needed");
        }
        Image first = images.get(0);
        int rows = (images.size() + columns - 1) / columns;
        int stride = bytes(Math.multiplyExact(columns, first.width), 1, first.channels);
        byte[] out = new byte[Math.multiplyExact(stride, Math.multiplyExact(rows, first.height))];
        for (int i = 0; i < images.size(); i++) {
            Image image = images.get(i);
            if (image.width != first.width || image.height != first.height || image.channels != first.channels) {
                throw new IllegalArgumentException("image " + i + " of a grid is " + image + ", the first is " + first);
            }
            int row = image.width * image.channels;
            int corner = i / columns * image.height * stride + i % columns * row;
            for (int y = 0; y < image.height; y++) {
                System.arraycopy(image.pixels, y * row, out, corner + y * stride, row);
            }
        }
        return new Image(columns * first.width, rows * first.height, first.channels, out);
    }

    /** Number of values of an image; an image must fit into one Java array. */
    private static int bytes(int width, int height, int channels) {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("an image of " + width + "x" + height + ": both sides must be at least 1");
        }
        if ((long) width * height > Integer.MAX_VALUE / channels) {
            throw new IllegalArgumentException("an image of " + width + "x" + height + "x" + channels + " is too large for memory");
        }
        return width * height * channels;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Image image && width == image.width && height == image.height && Arrays.equals(pixels, image.pixels);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * width + height) + Arrays.hashCode(pixels);
    }

    @Override
    public String toString() {
        return width + "x" + height + (channels == 4 ? " RGBA" : " RGB");
    }
}
