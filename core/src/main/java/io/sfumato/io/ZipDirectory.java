package io.sfumato.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The directory of a zip archive, also of the 64-bit kind: where each record's bytes lie in the file. */
final class ZipDirectory {
    private static final int END = 22;
    private static final int END_64 = 56;
    private static final int LOCATOR_64 = 20;
    private static final int ENTRY = 46;
    private static final int LOCAL = 30;
    private static final int LONGEST = 1 << 26;
    private static final long SATURATED = 0xffffffffL;

    /** Where the bytes of a record are. */
    record Record(long begin, long length) {
    }

    private record Entry(int flags, int method, long length, long header) {
    }

    private final FileChannel channel;
    private final long size;
    private final Map<String, Entry> entries = new HashMap<>();

    /** @throws CheckpointException saying what is wrong; the file's name is for the caller to put before it */
    ZipDirectory(FileChannel channel) throws IOException {
        this.channel = channel;
        size = channel.size();
        long end = end();
        ByteBuffer tail = read(end, END);
        long count = tail.getShort(10) & 0xffff;
        long length = tail.getInt(12) & SATURATED;
        long begin = tail.getInt(16) & SATURATED;
        if (end >= LOCATOR_64 && read(end - LOCATOR_64, LOCATOR_64).getInt(0) == 0x07064b50) {
            ByteBuffer wide = read(read(end - LOCATOR_64, LOCATOR_64).getLong(8), END_64);
            if (wide.getInt(0) != 0x06064b50) {
                throw new CheckpointException("its zip64 directory is not where its end says");
            }
            count = wide.getLong(32);
            length = wide.getLong(40);
            begin = wide.getLong(48);
        }
        if (length < 0 || length > LONGEST) {
            throw new CheckpointException("its zip directory of " + Long.toUnsignedString(length) + " bytes is absurd");
        }
        readEntries(read(begin, (int) length), count);
    }

    /** The directory's end stands before a comment of up to 65,535 bytes. */
    private long end() throws IOException {
        int length = (int) Math.min(size, END + 0xffff);
        ByteBuffer tail = read(size - length, length);
        for (int at = length - END; at >= 0; at--) {
            if (tail.getInt(at) == 0x06054b50 && at + END + (tail.getShort(at + 20) & 0xffff) == length) {
                return size - length + at;
            }
        }
        throw new CheckpointException("cut short: the zip archive's directory, at its end, is missing");
    }

    private void readEntries(ByteBuffer directory, long count) {
        for (long i = 0; i < count; i++) {
            if (directory.remaining() < ENTRY || directory.getInt(directory.position()) != 0x02014b50) {
                throw new CheckpointException("its zip directory has " + i + " sound entries, where " + Long.toUnsignedString(count)
                        + " are promised");
            }
            int at = directory.position();
            int nameLength = directory.getShort(at + 28) & 0xffff;
            int extraLength = directory.getShort(at + 30) & 0xffff;
            int whole = ENTRY + nameLength + extraLength + (directory.getShort(at + 32) & 0xffff);
            if (whole > directory.remaining()) {
                throw new CheckpointException("its zip directory ends within entry " + i);
            }
            String name = new String(directory.array(), at + ENTRY, nameLength, StandardCharsets.UTF_8);
            Entry entry = entry(directory, at, directory.slice(at + ENTRY + nameLength, extraLength).order(ByteOrder.LITTLE_ENDIAN));
            if (entries.put(name, entry) != null) {
                throw new CheckpointException("its zip directory has two records '" + SafeTensorsHeader.shown(name) + "'");
            }
            directory.position(at + whole);
        }
    }

    /** Lengths and places too large for 32 bits stand in an extra field, in this order, those alone that are. */
    private static Entry entry(ByteBuffer directory, int at, ByteBuffer extra) {
        long[] fields = {directory.getInt(at + 24) & SATURATED, directory.getInt(at + 20) & SATURATED,
            directory.getInt(at + 42) & SATURATED};
        while (extra.remaining() >= 4) {
            int tag = extra.getShort() & 0xffff;
            int length = Math.min(extra.getShort() & 0xffff, extra.remaining());
            int next = extra.position() + length;
            if (tag == 1) {
                for (int i = 0; i < fields.length; i++) {
                    if (fields[i] == SATURATED && next - extra.position() >= Long.BYTES) {
                        fields[i] = extra.getLong();
                    }
                }
            }
            extra.position(next);
        }
        return new Entry(directory.getShort(at + 8), directory.getShort(at + 10), fields[0], fields[2]);
    }

    private ByteBuffer read(long at, int count) throws IOException {
        if (at < 0 || count > size - at) {
            throw new CheckpointException("cut short: its zip directory points to byte " + Long.toUnsignedString(at) + " of " + size);
        }
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining() && channel.read(buffer, at + buffer.position()) >= 0) {
            continue;
        }
        return buffer.flip();
    }

    Iterable<String> names() {
        return entries.keySet();
    }

    boolean has(String name) {
        return entries.containsKey(name);
    }

    /** Finds a record, which must be stored as it is. */
    Record find(String name) throws IOException {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new CheckpointException("its record '" + SafeTensorsHeader.shown(name) + "' is missing");
        }
        if (entry.method != 0 || (entry.flags & 1) != 0) {
            throw new CheckpointException("its record '" + SafeTensorsHeader.shown(name) + "' is compressed or encrypted; "
                    + "PyTorch stores records as they are");
        }
        ByteBuffer local = read(entry.header, LOCAL);
        long begin = entry.header + LOCAL + (local.getShort(26) & 0xffff) + (local.getShort(28) & 0xffff);
        if (local.getInt(0) != 0x04034b50 || entry.length < 0 || entry.length > size - begin) {
            throw new CheckpointException("its record '" + SafeTensorsHeader.shown(name) + "' of " + Long.toUnsignedString(entry.length)
                    + " bytes is not where the zip directory says, or is cut short");
        }
        return new Record(begin, entry.length);
    }
}
