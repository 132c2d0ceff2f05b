package io.sfumato.image;

/** The JDK's 32-bit pixels, 0xAARRGGBB, to and from an image. */
final class Argb {
    private Argb() {
    }

    static int[] of(Image image) {
        byte[] in = image.pixels();
        int channels = image.channels();
        int[] out = new int[image.width() * image.height()];
        for (int i = 0, p = 0; i < out.length; i++, p += channels) {
            int alpha = channels == 4 ? in[p + 3] & 0xff : 255;
            out[i] = alpha << 24 | (in[p] & 0xff) << 16 | (in[p + 1] & 0xff) << 8 | in[p + 2] & 0xff;
        }
        return out;
    }

    static Image image(int width, int height, int channels, int[] in) {
        byte[] out = new byte[width * height * channels];
        for (int i = 0, p = 0; p < out.length; i++, p += channels) {
            out[p] = (byte) (in[i] >> 16);
            out[p + 1] = (byte) (in[i] >> 8);
            out[p + 2] = (byte) in[i];
            if (channels == 4) {
                out[p + 3] = (byte) (in[i] >> 24);
            }
        }
        return new Image(width, height, channels, out);
    }
}
