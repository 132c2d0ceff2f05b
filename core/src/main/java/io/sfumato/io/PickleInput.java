package io.sfumato.io;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;

/** Part of a file read in order. Never asks for more bytes than the part has, so no length in it can exhaust the memory. */
final class PickleInput {
    private static final int LONGEST_LINE = 4096;

    private final InputStream in;
    private final long end;
    private long position;

    /** Reads the channel, which moves along, from {@code begin} to {@code end}. */
    PickleInput(FileChannel channel, long begin, long end) throws IOException {
        in = new BufferedInputStream(Channels.newInputStream(channel.position(begin)), 1 << 16);
        position = begin;
        this.end = end;
    }

    long position() {
        return position;
    }

    int u8() {
        return bytes(1)[0] & 0xff;
    }

    /** Text of {@code count} bytes of UTF-8; lone surrogates, which Python lets through, become question marks. */
    String text(long count) {
        return new String(bytes(count), StandardCharsets.UTF_8);
    }

    /** A little-endian number of 1 to 8 bytes, unsigned below 8. */
    long number(int count) {
        long value = 0;
        byte[] bytes = bytes(count);
        for (int i = 0; i < count; i++) {
            value |= (bytes[i] & 0xffL) << 8 * i;
        }
        return value;
    }

    byte[] bytes(long count) {
        if (count < 0 || count > end - position || count > Integer.MAX_VALUE - 8) {
            throw new CheckpointException("cut short: " + Long.toUnsignedString(count) + " bytes are wanted at byte " + position + ", "
                    + (end - position) + " are left");
        }
        try {
            byte[] bytes = in.readNBytes((int) count);
            position += bytes.length;
            if (bytes.length < count) {
                throw new CheckpointException("cut short at byte " + position);
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The characters before the next line feed, which is passed over. */
    String line() {
        StringBuilder line = new StringBuilder();
        for (int c = u8(); c != '\n'; c = u8()) {
            if (line.append((char) c).length() > LONGEST_LINE) {
                throw new CheckpointException("the line at byte " + (position - line.length()) + " is longer than any name");
            }
        }
        return line.toString();
    }

    /** Passes over {@code count} bytes, which is at most what is left. */
    void skip(long count) {
        if (count < 0 || count > end - position) {
            throw new CheckpointException("cut short: " + Long.toUnsignedString(count) + " bytes are wanted at byte " + position + ", "
                    + (end - position) + " are left");
        }
        try {
            in.skipNBytes(count);
            position += count;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
