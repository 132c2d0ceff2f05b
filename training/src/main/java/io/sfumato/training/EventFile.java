package io.sfumato.training;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Numbers of each step in a file that TensorBoard reads: TFRecords (length, its checksum, bytes, their checksum) of {@code Event} messages
 * in protobuf, written field by field: {@code tensorflow/core/util/event.proto} and {@code framework/summary.proto}.
 */
final class EventFile implements AutoCloseable {
    private static final int WALL_TIME = 1;
    private static final int STEP = 2;
    private static final int FILE_VERSION = 3;
    private static final int SUMMARY = 5;
    private static final int SESSION_LOG = 7;

    private final OutputStream out;
    private final Clock clock;

    /**
     * A new file in {@code folder}, which is made. What other files there have of {@code step} and later steps is void: a run that was cut
     * off takes them again.
     */
    EventFile(Path folder, long step, Clock clock) {
        this.clock = clock;
        Path file = folder.resolve("events.out.tfevents." + clock.millis() + ".sfumato");
        ConfigFiles.create(folder);
        try {
            out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
        }
        write(event(0).bytes(FILE_VERSION, "brain.Event:2".getBytes(StandardCharsets.UTF_8)));
        write(event(step).bytes(SESSION_LOG, new Message().integer(1, 1).toBytes()));                       // status: START
    }

    /** Adds the numbers of a step, by their tags. */
    void add(long step, Map<String, Double> values) {
        Message summary = new Message();
        values.forEach((tag, value) -> summary.bytes(1, new Message().bytes(1, tag.getBytes(StandardCharsets.UTF_8))
                .number(2, value.floatValue()).toBytes()));
        write(event(step).bytes(SUMMARY, summary.toBytes()));
    }

    private Message event(long step) {
        Message event = new Message().number(WALL_TIME, clock.millis() / 1000.0);
        return step == 0 ? event : event.integer(STEP, step);
    }

    // At once: what is written when a process is killed ends with a whole record.
    private void write(Message event) {
        byte[] data = event.toBytes(), length = little(8).putLong(data.length).array();
        try {
            out.write(little(16 + data.length).put(length).putInt(checksum(length)).put(data).putInt(checksum(data)).array());
        } catch (IOException e) {
            throw new UncheckedIOException("events of a training cannot be written: " + e.getMessage(), e);
        }
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** CRC-32C, turned and moved: a checksum of data that has checksums in it should not be zero. */
    private static int checksum(byte[] data) {
        CRC32C crc = new CRC32C();
        crc.update(data);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
    }

    /** A protobuf message in the making. */
    private static final class Message {
        private static final int VARINT = 0;
        private static final int EIGHT_BYTES = 1;
        private static final int BYTES = 2;
        private static final int FOUR_BYTES = 5;

        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message integer(int field, long value) {
            return varint(field << 3 | VARINT).varint(value);
        }

        Message number(int field, double value) {
            varint(field << 3 | EIGHT_BYTES);
            out.writeBytes(little(8).putDouble(value).array());
            return this;
        }

        Message number(int field, float value) {
            varint(field << 3 | FOUR_BYTES);
            out.writeBytes(little(4).putFloat(value).array());
            return this;
        }

        Message bytes(int field, byte[] value) {
            varint(field << 3 | BYTES).varint(value.length);
            out.writeBytes(value);
            return this;
        }

        private Message varint(long value) {
            for (; (value & ~0x7FL) != 0; value >>>= 7) {
                out.write((int) (value & 0x7F | 0x80));
            }
            out.write((int) value);
            return this;
        }

        byte[] toBytes() {
            return out.toByteArray();
        }
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException("events of a training cannot be written: " + e.getMessage(), e);
        }
    }
}
