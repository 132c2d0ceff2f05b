package io.sfumato.training;

import io.sfumato.io.ProtobufMessage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
        write(event(0).text(FILE_VERSION, "brain.Event:2"));
        write(event(step).message(SESSION_LOG, new ProtobufMessage().integer(1, 1)));                       // status: START
    }

    /** Adds the numbers of a step, by their tags. */
    void add(long step, Map<String, Double> values) {
        ProtobufMessage summary = new ProtobufMessage();
        values.forEach((tag, value) -> summary.message(1, new ProtobufMessage().text(1, tag).number(2, value.floatValue())));
        write(event(step).message(SUMMARY, summary));
    }

    private ProtobufMessage event(long step) {
        ProtobufMessage event = new ProtobufMessage().number(WALL_TIME, clock.millis() / 1000.0);
        return step == 0 ? event : event.integer(STEP, step);
    }

    // At once: what is written when a process is killed ends with a whole record.
    private void write(ProtobufMessage event) {
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

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException("events of a training cannot be written: " + e.getMessage(), e);
        }
    }
}
