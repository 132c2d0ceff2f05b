package io.sfumato.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads and writes of fixed-width numbers and tags in a byte array; the caller has checked the bounds. */
final class Bytes {
    private Bytes() {
    }

    static int u16(byte[] data, int at) {
        return (data[at] & 0xff) << 8 | data[at + 1] & 0xff;
    }

    static int i32(byte[] data, int at) {
        return u16(data, at) << 16 | u16(data, at + 2);
    }

    /** A signed 32-bit number, least significant byte first. */
    static int i32LittleEndian(byte[] data, int at) {
        return Integer.reverseBytes(i32(data, at));
    }

    static void writeI32(ByteArrayOutputStream out, int value) {
        out.write(value >> 24);
        out.write(value >> 16);
        out.write(value >> 8);
        out.write(value);
    }

    static String latin1(byte[] data, int from, int to) {
        return new String(data, from, to - from, StandardCharsets.ISO_8859_1);
    }

    static boolean startsWith(byte[] data, int at, byte[] prefix) {
        return at >= 0 && at <= data.length - prefix.length
            && Arrays.equals(data, at, at + prefix.length, prefix, 0, prefix.length);
    }

    /** x / 255 rounded, exact for 0 <= x <= 65535. */
    static int divideBy255(int x) {
        int t = x + 128;
        return (t >> 8) + t >> 8;
    }
}
