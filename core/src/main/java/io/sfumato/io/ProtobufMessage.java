package io.sfumato.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A protocol buffers message in the making: its fields in the order in which they are given. */
public final class ProtobufMessage {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    public ProtobufMessage integer(int field, long value) {
        return tag(field, Protobuf.VARINT).varint(value);
    }

    public ProtobufMessage flag(int field, boolean value) {
        return integer(field, value ? 1 : 0);
    }

    public ProtobufMessage number(int field, double value) {
        tag(field, Protobuf.FIXED64);
        out.writeBytes(little(Double.BYTES).putDouble(value).array());
        return this;
    }

    public ProtobufMessage number(int field, float value) {
        tag(field, Protobuf.FIXED32);
        out.writeBytes(little(Float.BYTES).putFloat(value).array());
        return this;
    }

    public ProtobufMessage bytes(int field, byte[] value) {
        tag(field, Protobuf.BYTES).varint(value.length);
        out.writeBytes(value);
        return this;
    }

    public ProtobufMessage message(int field, ProtobufMessage value) {
        return bytes(field, value.toBytes());
    }

    public ProtobufMessage text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    public byte[] toBytes() {
        return out.toByteArray();
    }

    private ProtobufMessage tag(int field, int wire) {
        return varint((long) field << 3 | wire);
    }

    private ProtobufMessage varint(long value) {
        for (; value >>> 7 != 0; value >>>= 7) {
            out.write((int) (value & 0x7f | 0x80));
        }
        out.write((int) value);
        return this;
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
