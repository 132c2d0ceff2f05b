package io.sfumato.training.data;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Tar archives (POSIX ustar, with GNU's and pax's long names), read by place and written in order. */
final class Tar {
    private static final int BLOCK = 512;

    /** A file of the archive: its name, and where its bytes are. */
    record Entry(Path archive, String name, long offset, int length) {
        byte[] bytes() {
            try (RandomAccessFile file = new RandomAccessFile(archive.toFile(), "r")) {
                byte[] bytes = new byte[length];
                file.seek(offset);
                file.readFully(bytes);
                return bytes;
            } catch (IOException e) {
                throw new UncheckedIOException(archive + ": " + name + " cannot be read: " + e.getMessage(), e);
            }
        }
    }

    private Tar() {
    }

    /** The files of an archive, in its order. */
    static List<Entry> list(Path archive) {
        if (!Files.isRegularFile(archive)) {
            throw new IllegalArgumentException(archive + ": there is no such file");
        }
        List<Entry> entries = new ArrayList<>();
        try (RandomAccessFile file = new RandomAccessFile(archive.toFile(), "r")) {
            String longName = "";
            byte[] header = new byte[BLOCK];
            for (long at = 0; at + BLOCK <= file.length(); ) {
                file.seek(at);
                file.readFully(header);
                if (header[0] == 0) {
                    break;
                }
                check(archive, header, at);
                long length = octal(archive, header, 124, 12, at);
                if (at + BLOCK + length > file.length()) {
                    throw new IllegalArgumentException(archive + ": the archive ends early, within " + text(header, 0, 100));
                }
                char kind = (char) header[156];
                if (kind == 'L' || kind == 'x') {
                    byte[] bytes = new Entry(archive, "a long name", at + BLOCK, (int) length).bytes();
                    longName = kind == 'L' ? text(bytes, 0, bytes.length) : paxPath(bytes, longName);
                } else {
                    if (kind == '0' || kind == 0) {
                        String prefix = text(header, 345, 155), name = (prefix.isEmpty() ? "" : prefix + "/") + text(header, 0, 100);
                        entries.add(new Entry(archive, longName.isEmpty() ? name : longName, at + BLOCK, Math.toIntExact(length)));
                    }
                    longName = "";
                }
                at += BLOCK + (length + BLOCK - 1) / BLOCK * BLOCK;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(archive + ": cannot be read: " + e.getMessage(), e);
        }
        return entries;
    }

    private static void check(Path archive, byte[] header, long at) {
        long sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 255;
        }
        if (sum != octal(archive, header, 148, 8, at)) {
            throw new IllegalArgumentException(archive + ": no tar archive: the header at byte " + at + " is damaged");
        }
    }

    private static long octal(Path archive, byte[] header, int from, int length, long at) {
        String digits = text(header, from, length).strip();
        if (!digits.matches("[0-7]{1,12}")) {
            throw new IllegalArgumentException(archive + ": no tar archive: the header at byte " + at + " is damaged");
        }
        return Long.parseLong(digits, 8);
    }

    private static String text(byte[] bytes, int from, int length) {
        int end = from;
        while (end < from + length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, from, end - from, StandardCharsets.UTF_8);
    }

    /** The path of a pax header, whose records are "LENGTH KEY=VALUE\n". */
    private static String paxPath(byte[] bytes, String none) {
        return Arrays.stream(new String(bytes, StandardCharsets.UTF_8).split("\n")).filter(r -> r.matches("\\d+ path=.*"))
                .map(r -> r.substring(r.indexOf('=') + 1)).findFirst().orElse(none);
    }

    /** Writes one file; {@link #end} closes the archive. */
    static void write(OutputStream out, String name, byte[] bytes) throws IOException {
        byte[] header = new byte[BLOCK];
        put(header, 0, name);
        put(header, 100, "0000644");
        put(header, 108, "0000000");
        put(header, 116, "0000000");
        put(header, 124, String.format("%011o", bytes.length));
        put(header, 136, "00000000000");
        put(header, 148, "        ");
        header[156] = '0';
        put(header, 257, "ustar");
        put(header, 263, "00");
        long sum = 0;
        for (byte b : header) {
            sum += b & 255;
        }
        put(header, 148, String.format("%06o", sum));
        header[154] = 0;
        out.write(header);
        out.write(bytes);
        out.write(new byte[(BLOCK - bytes.length % BLOCK) % BLOCK]);
    }

    static void end(OutputStream out) throws IOException {
        out.write(new byte[2 * BLOCK]);
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }
}
