package io.sfumato.image;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.zip.InflaterInputStream;

/** The pixels of a PNG: inflating, filters, Adam7 and the conversion of all depths and colour types to 8-bit RGB or RGBA. */
final class PngPixels {
    private static final int[][] WHOLE = {{0, 0, 1, 1}};
    private static final int[][] ADAM7 = {                                 // first column, first row, column step, row step
        {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

    private final Source source;
    private final Header header;
    private final byte[] palette;
    private final byte[] transparency;
    private final int channels;

    PngPixels(Source source, Header header, byte[] palette, byte[] transparency) {
        this.source = source;
        this.header = header;
        this.palette = palette;
        this.transparency = transparency;
        channels = header.color.alpha || transparency.length > 0 ? 4 : 3;
        if (header.color == Color.PALETTE && (palette.length == 0 || palette.length % 3 != 0)) {
            throw source.bad("damaged: a palette picture with a palette of " + palette.length + " bytes");
        }
        int key = 2 * header.color.samples;
        if (transparency.length > 0 && !header.color.alpha && header.color != Color.PALETTE && transparency.length != key) {
            throw source.bad("damaged: a transparent colour of " + transparency.length + " bytes instead of " + key);
        }
    }

    /** What the samples of a pixel mean. */
    enum Color {
        GREY(1, false), RGB(3, false), PALETTE(1, false), GREY_ALPHA(2, true), RGBA(4, true);

        final int samples;
        final boolean alpha;

        Color(int samples, boolean alpha) {
            this.samples = samples;
            this.alpha = alpha;
        }
    }

    record Header(int width, int height, int depth, Color color, boolean interlaced) {
        static Header parse(Source source, byte[] body) {
            if (body.length != 13) {
                throw source.bad("damaged: a header of " + body.length + " bytes instead of 13");
            }
            int width = Bytes.i32(body, 0);
            int height = Bytes.i32(body, 4);
            source.checkSize(width & 0xffffffffL, height & 0xffffffffL);
            int depth = body[8];
            boolean any = depth == 1 || depth == 2 || depth == 4 || depth == 8;
            boolean wide = depth == 8 || depth == 16;
            Color color = switch (body[9]) {
                case 0 -> any || wide ? Color.GREY : null;
                case 2 -> wide ? Color.RGB : null;
                case 3 -> any ? Color.PALETTE : null;
                case 4 -> wide ? Color.GREY_ALPHA : null;
                case 6 -> wide ? Color.RGBA : null;
                default -> null;
            };
            if (color == null || body[10] != 0 || body[11] != 0 || body[12] < 0 || body[12] > 1) {
                throw source.bad("damaged: no PNG has bit depth " + depth + ", colour type " + body[9] + ", compression " + body[10]
                    + ", filter " + body[11] + ", interlace " + body[12]);
            }
            return new Header(width, height, depth, color, body[12] == 1);
        }

        int rowBytes(int columns) {
            return Math.toIntExact(((long) columns * color.samples * depth + 7) / 8);
        }
    }

    Image decode(byte[] deflated) {
        long raw = (long) header.rowBytes(header.width) * header.height;
        if (raw / 1040 > deflated.length) {                                // deflate packs at most 1032 to 1: no memory for empty claims
            throw source.endsEarly();
        }
        byte[] out = new byte[Math.toIntExact((long) header.width * header.height * channels)];
        try (var in = new InflaterInputStream(new ByteArrayInputStream(deflated))) {
            for (int[] pass : header.interlaced ? ADAM7 : WHOLE) {
                decodePass(in, pass, out);
            }
            in.read();                                                     // to the end, where zlib compares its check sum
        } catch (EOFException e) {
            throw source.endsEarly();
        } catch (IOException e) {
            throw source.bad("damaged: its pixels do not inflate (" + e.getMessage() + ")");
        }
        return new Image(header.width, header.height, channels, out);
    }

    private void decodePass(InputStream in, int[] pass, byte[] out) throws IOException {
        int columns = (header.width - pass[0] + pass[2] - 1) / pass[2];
        if (columns <= 0) {
            return;
        }
        int step = Math.max(1, header.color.samples * header.depth / 8);
        byte[] row = new byte[header.rowBytes(columns)];
        byte[] above = new byte[row.length];
        for (int y = pass[1]; y < header.height; y += pass[3]) {
            int filter = in.read();
            if (filter < 0 || in.readNBytes(row, 0, row.length) < row.length) {
                throw new EOFException();
            }
            unfilter(filter, row, above, step);
            for (int i = 0; i < columns; i++) {
                writePixel(row, i, out, (y * header.width + pass[0] + i * pass[2]) * channels);
            }
            byte[] swap = above;
            above = row;
            row = swap;
        }
    }

    private void unfilter(int filter, byte[] row, byte[] above, int step) {
        for (int i = 0; i < row.length; i++) {
            int left = i < step ? 0 : row[i - step] & 0xff;
            int up = above[i] & 0xff;
            row[i] += (byte) switch (filter) {
                case 0 -> 0;
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) / 2;
                case 4 -> paeth(left, up, i < step ? 0 : above[i - step] & 0xff);
                default -> throw source.bad("damaged: row filter " + filter + " does not exist");
            };
        }
    }

    private static int paeth(int left, int up, int corner) {
        int estimate = left + up - corner;
        int toLeft = Math.abs(estimate - left);
        int toUp = Math.abs(estimate - up);
        int toCorner = Math.abs(estimate - corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    /** Converts pixel {@code i} of a row; {@code o} is where it goes. */
    private void writePixel(byte[] row, int i, byte[] out, int o) {
        int n = header.color.samples;
        int first = sample(row, i * n);
        if (header.color == Color.PALETTE) {
            if (first * 3 >= palette.length) {
                throw source.bad("damaged: colour " + first + " of a palette of " + palette.length / 3);
            }
            System.arraycopy(palette, first * 3, out, o, 3);
            if (channels == 4) {
                out[o + 3] = first < transparency.length ? transparency[first] : -1;
            }
            return;
        }
        boolean grey = n < 3;
        for (int c = 0; c < 3; c++) {
            out[o + c] = level(grey ? first : sample(row, i * n + c));
        }
        if (header.color.alpha) {
            out[o + 3] = level(sample(row, i * n + n - 1));
        } else if (channels == 4) {
            out[o + 3] = isTransparentColor(row, i * n, n) ? 0 : (byte) -1;
        }
    }

    private boolean isTransparentColor(byte[] row, int from, int n) {
        for (int c = 0; c < n; c++) {
            if (sample(row, from + c) != Bytes.u16(transparency, 2 * c)) {
                return false;
            }
        }
        return true;
    }

    /** Sample {@code i} of a row at the file's own depth. */
    private int sample(byte[] row, int i) {
        if (header.depth == 8) {
            return row[i] & 0xff;
        }
        if (header.depth == 16) {
            return Bytes.u16(row, 2 * i);
        }
        int bit = i * header.depth;
        return row[bit / 8] >> 8 - header.depth - bit % 8 & (1 << header.depth) - 1;
    }

    /** A sample as 8 bits: of 16 the high byte, as Pillow and libpng do; of fewer than 8, spread over 0..255. */
    private byte level(int sample) {
        return (byte) (header.depth == 16 ? sample >> 8 : sample * 255 / ((1 << header.depth) - 1));
    }

    /** Writes the rows to deflate, each with the filter whose differences are smallest in sum (PNG specification, section 12.7). */
    static void filter(Image image, OutputStream out) throws IOException {
        int step = image.channels();
        int stride = image.width() * step;
        byte[] in = image.pixels();
        byte[][] candidates = new byte[5][stride];
        for (int y = 0; y < image.height(); y++) {
            int best = 0;
            long bestSum = Long.MAX_VALUE;
            for (int kind = 0; kind < 5; kind++) {
                long sum = filterRow(kind, in, y * stride, stride, step, candidates[kind]);
                if (sum < bestSum) {
                    bestSum = sum;
                    best = kind;
                }
            }
            out.write(best);
            out.write(candidates[best]);
        }
    }

    private static long filterRow(int kind, byte[] in, int from, int stride, int step, byte[] out) {
        long sum = 0;
        boolean top = from == 0;
        for (int i = 0; i < stride; i++) {
            int left = i < step ? 0 : in[from + i - step] & 0xff;
            int up = top ? 0 : in[from + i - stride] & 0xff;
            int corner = top || i < step ? 0 : in[from + i - stride - step] & 0xff;
            int guess = switch (kind) {
                case 0 -> 0;
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) / 2;
                default -> paeth(left, up, corner);
            };
            out[i] = (byte) (in[from + i] - guess);
            sum += Math.abs(out[i]);
        }
        return sum;
    }
}
