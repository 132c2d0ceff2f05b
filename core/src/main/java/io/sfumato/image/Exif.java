package io.sfumato.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The two EXIF fields that matter here: the orientation 1..8 of the stored pixels, and the UserComment, "" if there is none. EXIF is
 * a TIFF file in small (EXIF 2.32, section 4.6). A damaged block reads as upright and without a comment, as in other readers: the
 * pixels are good.
 */
record Exif(int orientation, String userComment) {
    static final Exif NONE = new Exif(1, "");

    private static final byte[] HEADER = {'E', 'x', 'i', 'f', 0, 0};
    private static final byte[] UNICODE = {'U', 'N', 'I', 'C', 'O', 'D', 'E', 0};
    private static final byte[] ASCII = {'A', 'S', 'C', 'I', 'I', 0, 0, 0};
    private static final int ORIENTATION = 0x0112;
    private static final int EXIF_DIRECTORY = 0x8769;
    private static final int USER_COMMENT = 0x9286;

    static boolean hasHeader(byte[] block) {
        return Bytes.startsWith(block, 0, HEADER);
    }

    /** Reads a TIFF block, with or without "Exif\0\0" before it: WebP writers differ. */
    static Exif parse(byte[] block) {
        var tiff = new Tiff(block, hasHeader(block) ? HEADER.length : 0);
        if (!tiff.valid()) {
            return NONE;
        }
        int root = tiff.i32(4);
        int orientation = tiff.find(root, ORIENTATION);
        int directory = tiff.find(root, EXIF_DIRECTORY);
        int comment = directory < 0 ? -1 : tiff.find(tiff.i32(directory + 8), USER_COMMENT);
        int turn = orientation < 0 ? 1 : tiff.u16(orientation + 8);
        return new Exif(turn >= 1 && turn <= 8 ? turn : 1, comment < 0 ? "" : text(tiff.bytes(comment)));
    }

    /** A block "Exif\0\0" + TIFF that holds a UserComment as A1111 writes it: "UNICODE\0", then UTF-16, big-endian. */
    static byte[] withUserComment(String comment) {
        byte[] text = comment.getBytes(StandardCharsets.UTF_16BE);
        var out = new ByteArrayOutputStream();
        out.writeBytes(HEADER);
        out.writeBytes(new byte[] {'M', 'M', 0, 42});
        Bytes.writeI32(out, 8);
        writeEntry(out, EXIF_DIRECTORY, 4, 1, 26);                         // a LONG: where the next directory begins
        writeEntry(out, USER_COMMENT, 7, UNICODE.length + text.length, 44);
        out.writeBytes(UNICODE);
        out.writeBytes(text);
        return out.toByteArray();
    }

    /** A directory of one entry: 18 bytes. */
    private static void writeEntry(ByteArrayOutputStream out, int tag, int type, int count, int value) {
        Bytes.writeI32(out, 1 << 16 | tag);
        Bytes.writeI32(out, type << 16 | count >>> 16);
        Bytes.writeI32(out, count << 16 | value >>> 16);
        Bytes.writeI32(out, value << 16);
        out.write(0);
        out.write(0);
    }

    /** The image as it is meant to be seen. */
    Image upright(Image image) {
        if (orientation == 1) {
            return image;
        }
        boolean turned = orientation >= 5;
        int width = turned ? image.height() : image.width();
        int height = turned ? image.width() : image.height();
        int channels = image.channels();
        byte[] in = image.pixels();
        byte[] out = new byte[in.length];
        boolean mirrorX = switch (orientation) {
            case 2, 3, 7, 8 -> true;
            default -> false;
        };
        boolean mirrorY = switch (orientation) {
            case 3, 4, 6, 7 -> true;
            default -> false;
        };
        for (int y = 0, o = 0; y < height; y++) {
            for (int x = 0; x < width; x++, o += channels) {
                int column = turned ? y : x;
                int row = turned ? x : y;
                int from = (mirrorY ? image.height() - 1 - row : row) * image.width() + (mirrorX ? image.width() - 1 - column : column);
                System.arraycopy(in, from * channels, out, o, channels);
            }
        }
        return new Image(width, height, channels, out);
    }

    private static String text(byte[] comment) {
        if (Bytes.startsWith(comment, 0, UNICODE)) {
            return utf16(comment, UNICODE.length);
        }
        int from = Bytes.startsWith(comment, 0, ASCII) || Bytes.startsWith(comment, 0, new byte[8]) ? 8 : 0;
        return trimNuls(new String(comment, from, comment.length - from, StandardCharsets.UTF_8));
    }

    /** UTF-16 of either byte order: writers disagree and do not say which, so the order in which more high bytes are zero wins. */
    private static String utf16(byte[] data, int from) {
        int big = 0;
        int little = 0;
        for (int i = from; i + 1 < data.length; i += 2) {
            big += data[i] == 0 ? 1 : 0;
            little += data[i + 1] == 0 ? 1 : 0;
        }
        var charset = little > big ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_16BE;
        String text = trimNuls(new String(data, from, data.length - from, charset));
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    private static String trimNuls(String text) {
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == 0) {
            end--;
        }
        return text.substring(0, end);
    }

    /** A TIFF file inside {@code data} from {@code start}; reads outside give 0, so that a damaged block reads as empty. */
    private record Tiff(byte[] data, int start) {
        boolean valid() {
            return u16(2) == 42 && (littleEndian() || data[start] == 'M' && data[start + 1] == 'M');
        }

        boolean littleEndian() {
            return start + 1 < data.length && data[start] == 'I' && data[start + 1] == 'I';
        }

        boolean has(long offset, long count) {
            return offset >= 0 && count >= 0 && offset + count <= data.length - start;
        }

        int u16(int offset) {
            if (!has(offset, 2)) {
                return 0;
            }
            int value = Bytes.u16(data, start + offset);
            return littleEndian() ? Integer.reverseBytes(value) >>> 16 : value;
        }

        int i32(int offset) {
            if (!has(offset, 4)) {
                return 0;
            }
            return littleEndian() ? Bytes.i32LittleEndian(data, start + offset) : Bytes.i32(data, start + offset);
        }

        /** Where the entry of {@code tag} in the directory at {@code offset} begins (tag, type, count, value), or -1. */
        int find(int offset, int tag) {
            int count = u16(offset);
            for (int i = 0; i < count && has(offset + 2L + 12L * i, 12); i++) {
                if (u16(offset + 2 + 12 * i) == tag) {
                    return offset + 2 + 12 * i;
                }
            }
            return -1;
        }

        /** The value of an entry of bytes: in place when it fits into 4, else at an offset. */
        byte[] bytes(int entry) {
            int count = i32(entry + 4);
            int offset = count <= 4 ? entry + 8 : i32(entry + 8);
            return has(offset, count) ? Arrays.copyOfRange(data, start + offset, start + offset + count) : new byte[0];
        }
    }
}
