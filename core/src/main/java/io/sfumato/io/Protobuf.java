package io.sfumato.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.stream.LongStream;

/**
 * Walks the fields of a protocol buffers message in the order of the file; whoever reads it knows what the numbers of the fields mean.
 * What is damaged, or of another kind than is asked for, is a {@link CheckpointException}.
 */
public final class Protobuf {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int BYTES = 2;
    static final int FIXED32 = 5;

    private final ByteBuffer in;
    private int field;
    private int wire;
    private long number;                        // of FIXED32 the four bytes
    private ByteBuffer bytes;

    /** @param message from its position to its limit */
    public Protobuf(ByteBuffer message) {
        in = message.slice();
        bytes = in.slice(0, 0);
    }

    /** Goes to the next field; false at the end of the message. */
    public boolean next() {
        if (!in.hasRemaining()) {
            return false;
        }
        long tag = varint();
        field = (int) (tag >>> 3);
        wire = (int) (tag & 7);
        switch (wire) {
            case VARINT -> number = varint();
            case FIXED64 -> skip(8);
            case FIXED32 -> number = skip(4).order(ByteOrder.LITTLE_ENDIAN).getInt();
            case BYTES -> bytes = skip(varint());
            default -> throw new CheckpointException("no protocol buffers message: field " + field + " is of the unknown kind " + wire);
        }
        return true;
    }

    public int field() {
        return field;
    }

    /** The field's whole number. */
    public long number() {
        require(VARINT, "a whole number");
        return number;
    }

    public boolean flag() {
        return number() != 0;
    }

    /** The field's float of four bytes. */
    public float real() {
        require(FIXED32, "a number of four bytes");
        return Float.intBitsToFloat((int) number);
    }

    /** The field's bytes, which may be a message. */
    public ByteBuffer bytes() {
        require(BYTES, "bytes");
        return bytes;
    }

    public byte[] byteArray() {
        byte[] copy = new byte[bytes().remaining()];
        bytes.duplicate().get(copy);
        return copy;
    }

    public String text() {
        return StandardCharsets.UTF_8.decode(bytes().duplicate()).toString();
    }

    /** Whether the field holds bytes: repeated numbers may be packed into one such field. */
    boolean isPacked() {
        return wire == BYTES;
    }

    private void require(int kind, String wanted) {
        if (wire != kind) {
            throw new CheckpointException("field " + field + " is of kind " + wire + ", where " + wanted + " is wanted");
        }
    }

    /** A number of seven bits a byte, the lowest first; the highest bit says that more follow. */
    private long varint() {
        long value = 0;
        for (int shift = 0; shift < 64 && in.hasRemaining(); shift += 7) {
            byte b = in.get();
            value |= (long) (b & 127) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new CheckpointException("cut short or damaged: a number does not end");
    }

    private ByteBuffer skip(long count) {
        if (count < 0 || count > in.remaining()) {
            throw new CheckpointException("cut short or damaged: field " + field + " needs " + Long.toUnsignedString(count)
                    + " bytes, its message has " + in.remaining() + " left");
        }
        ByteBuffer part = in.slice(in.position(), (int) count);
        in.position(in.position() + (int) count);
        return part;
    }

    /** The numbers of a packed field. */
    static long[] packed(ByteBuffer bytes) {
        Protobuf numbers = new Protobuf(bytes);
        var values = LongStream.builder();
        while (numbers.in.hasRemaining()) {
            values.add(numbers.varint());
        }
        return values.build().toArray();
    }
}
