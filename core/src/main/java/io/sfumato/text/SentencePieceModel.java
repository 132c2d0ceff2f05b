package io.sfumato.text;

import io.sfumato.io.FileWrite;
import io.sfumato.io.ProtobufMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a SentencePiece {@code .model} file says: a protocol buffer, {@code ModelProto} of sentencepiece_model.proto, of which the fields
 * that encoding needs are read.
 *
 * @param source the file, for messages
 */
record SentencePieceModel(String source, List<Piece> pieces, byte[] charsMap, boolean addDummyPrefix, boolean removeExtraSpaces,
                          boolean escapeSpaces, boolean spaceAsSuffix, boolean byteFallback, String unknownSurface) {
    private static final int UNIGRAM = 1;
    private static final Map<Integer, String> KINDS = Map.of(2, "BPE", 3, "word", 4, "char");

    /** As the file numbers them from 1. */
    enum Type { NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE }

    /** The piece of id i is entry i. */
    record Piece(String spelling, float score, Type type) { }

    static SentencePieceModel read(Path file) {
        try {
            return parse(Files.readAllBytes(file), file.toString());
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException(file + " is missing; a SentencePiece model is wanted there", e);
        } catch (IOException e) {
            throw new UncheckedIOException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    static SentencePieceModel parse(byte[] bytes, String source) {
        try {
            SentencePieceModel model = of(new Message(bytes), source);
            if (model.pieces.stream().filter(piece -> piece.type() == Type.UNKNOWN).count() != 1) {
                throw new IllegalArgumentException(source + ": among its " + model.pieces.size()
                        + " pieces exactly one must be the unknown one: it is no SentencePiece model, or damaged");
            }
            if (model.pieces.stream().anyMatch(piece -> piece.spelling().isEmpty())) {
                throw new IllegalArgumentException(source + ": one of its " + model.pieces.size()
                        + " pieces is empty: it is no SentencePiece model, or damaged");
            }
            return model;
        } catch (BufferUnderflowException | IndexOutOfBoundsException | WireException e) {
            throw new IllegalArgumentException(source + " is no SentencePiece model, or damaged: " + (e instanceof WireException
                    ? e.getMessage() : "it ends in the middle of a field"), e);
        }
    }

    private static SentencePieceModel of(Message model, String source) {
        var pieces = new ArrayList<Piece>();
        Message trainer = new Message(new byte[0]), normalizer = trainer;
        for (Field field : model.fields()) {
            switch (field.number()) {
                case 1 -> pieces.add(piece(field.message()));
                case 2 -> trainer = field.message();
                case 3 -> normalizer = field.message();
                default -> { }
            }
        }
        int kind = trainer.number(3, UNIGRAM);
        if (kind != UNIGRAM) {
            throw new IllegalArgumentException("%s: a SentencePiece model of the kind %s; only unigram models can be used"
                    .formatted(source, KINDS.getOrDefault(kind, "" + kind)));
        }
        return new SentencePieceModel(source, List.copyOf(pieces), normalizer.bytes(2), normalizer.flag(3, true),
                normalizer.flag(4, true), normalizer.flag(5, true), trainer.flag(24, false), trainer.flag(35, false),
                trainer.text(44, " \u2047 "));
    }

    private static Piece piece(Message message) {
        int type = message.number(3, 1);
        if (type < 1 || type > Type.values().length) {
            throw new WireException("a piece has the type " + type + ", where 1 to 6 are known");
        }
        return new Piece(message.text(1, ""), message.real(2), Type.values()[type - 1]);
    }

    /** Writes what {@link #read} reads. */
    void write(Path file) {
        ProtobufMessage model = new ProtobufMessage(), trainer = new ProtobufMessage(), normalizer = new ProtobufMessage();
        for (Piece piece : pieces) {
            model.message(1, new ProtobufMessage().text(1, piece.spelling).number(2, piece.score).integer(3, piece.type.ordinal() + 1));
        }
        trainer.integer(3, UNIGRAM).flag(24, spaceAsSuffix).flag(35, byteFallback).text(44, unknownSurface);
        normalizer.bytes(2, charsMap).flag(3, addDummyPrefix).flag(4, removeExtraSpaces).flag(5, escapeSpaces);
        FileWrite.whole(file, model.message(2, trainer).message(3, normalizer).toBytes());
    }

    /** Bytes that do not follow the wire format. */
    private static final class WireException extends RuntimeException {
        WireException(String message) {
            super(message);
        }
    }

    /** One field: {@code number} in {@code bits}, or {@code bytes} where it has a length. */
    private record Field(int number, long bits, byte[] bytes) {
        Message message() {
            return new Message(bytes);
        }
    }

    /** A protocol buffer: fields in the order of the bytes, of which the last of its number holds. */
    private record Message(List<Field> fields) {
        Message(byte[] bytes) {
            this(read(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)));
        }

        private static List<Field> read(ByteBuffer in) {
            var fields = new ArrayList<Field>();
            while (in.hasRemaining()) {
                long tag = varint(in);
                int number = (int) (tag >>> 3);
                fields.add(switch ((int) (tag & 7)) {
                    case 0 -> new Field(number, varint(in), new byte[0]);
                    case 1 -> new Field(number, in.getLong(), new byte[0]);
                    case 2 -> new Field(number, 0, bytes(in, varint(in)));
                    case 5 -> new Field(number, in.getInt(), new byte[0]);
                    default -> throw new WireException("byte " + (in.position() - 1) + " begins no field");
                });
            }
            return fields;
        }

        private static long varint(ByteBuffer in) {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                byte b = in.get();
                value |= (long) (b & 0x7f) << shift;
                if (b >= 0) {
                    return value;
                }
            }
            throw new WireException("a number has more than 64 bits");
        }

        private static byte[] bytes(ByteBuffer in, long length) {
            if (length < 0 || length > in.remaining()) {
                throw new WireException("a field of " + length + " bytes, where " + in.remaining() + " are left");
            }
            byte[] bytes = new byte[(int) length];
            in.get(bytes);
            return bytes;
        }

        private Field last(int number, Field otherwise) {
            return fields.stream().filter(field -> field.number == number).reduce(otherwise, (a, b) -> b);
        }

        int number(int number, int otherwise) {
            return (int) last(number, new Field(number, otherwise, new byte[0])).bits;
        }

        boolean flag(int number, boolean otherwise) {
            return number(number, otherwise ? 1 : 0) != 0;
        }

        float real(int number) {
            return Float.intBitsToFloat(number(number, 0));
        }

        byte[] bytes(int number) {
            return last(number, new Field(number, 0, new byte[0])).bytes;
        }

        String text(int number, String otherwise) {
            return new String(last(number, new Field(number, 0, otherwise.getBytes(StandardCharsets.UTF_8))).bytes, StandardCharsets.UTF_8);
        }
    }
}
