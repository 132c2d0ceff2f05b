package io.sfumato.text;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.FileWrite;
import io.sfumato.io.Protobuf;
import io.sfumato.io.ProtobufMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
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
    /** Where a message is left out, its defaults hold. */
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
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
        SentencePieceModel model;
        try {
            model = of(new Protobuf(ByteBuffer.wrap(bytes)), source);
        } catch (CheckpointException e) {
            throw new IllegalArgumentException(source + " is no SentencePiece model, or damaged: " + e.getMessage(), e);
        }
        if (model.pieces.stream().filter(piece -> piece.type() == Type.UNKNOWN).count() != 1) {
            throw new IllegalArgumentException(source + ": among its " + model.pieces.size()
                    + " pieces exactly one must be the unknown one: it is no SentencePiece model, or damaged");
        }
        if (model.pieces.stream().anyMatch(piece -> piece.spelling().isEmpty())) {
            throw new IllegalArgumentException(source + ": one of its " + model.pieces.size()
                    + " pieces is empty: it is no SentencePiece model, or damaged");
        }
        return model;
    }

    private static SentencePieceModel of(Protobuf model, String source) {
        var pieces = new ArrayList<Piece>();
        Trainer trainer = Trainer.read(NOTHING);
        Normalizer normalizer = Normalizer.read(NOTHING);
        while (model.next()) {
            switch (model.field()) {
                case 1 -> pieces.add(piece(model.bytes()));
                case 2 -> trainer = Trainer.read(model.bytes());
                case 3 -> normalizer = Normalizer.read(model.bytes());
                default -> { }
            }
        }
        if (trainer.kind != UNIGRAM) {
            throw new IllegalArgumentException("%s: a SentencePiece model of the kind %s; only unigram models can be used"
                    .formatted(source, KINDS.getOrDefault(trainer.kind, "" + trainer.kind)));
        }
        return new SentencePieceModel(source, List.copyOf(pieces), normalizer.charsMap, normalizer.addDummyPrefix,
                normalizer.removeExtraSpaces, normalizer.escapeSpaces, trainer.spaceAsSuffix, trainer.byteFallback, trainer.unknownSurface);
    }

    private static Piece piece(ByteBuffer bytes) {
        Protobuf message = new Protobuf(bytes);
        String spelling = "";
        float score = 0;
        long type = 1;
        while (message.next()) {
            switch (message.field()) {
                case 1 -> spelling = message.text();
                case 2 -> score = message.real();
                case 3 -> type = message.number();
                default -> { }
            }
        }
        if (type < 1 || type > Type.values().length) {
            throw new CheckpointException("a piece has the type " + type + ", where 1 to 6 are known");
        }
        return new Piece(spelling, score, Type.values()[(int) type - 1]);
    }

    /** Of {@code TrainerSpec}. */
    private record Trainer(int kind, boolean spaceAsSuffix, boolean byteFallback, String unknownSurface) {
        static Trainer read(ByteBuffer bytes) {
            Protobuf message = new Protobuf(bytes);
            int kind = UNIGRAM;
            boolean spaceAsSuffix = false, byteFallback = false;
            String unknownSurface = " \u2047 ";
            while (message.next()) {
                switch (message.field()) {
                    case 3 -> kind = (int) message.number();
                    case 24 -> spaceAsSuffix = message.flag();
                    case 35 -> byteFallback = message.flag();
                    case 44 -> unknownSurface = message.text();
                    default -> { }
                }
            }
            return new Trainer(kind, spaceAsSuffix, byteFallback, unknownSurface);
        }
    }

    /** Of {@code NormalizerSpec}. */
    private record Normalizer(byte[] charsMap, boolean addDummyPrefix, boolean removeExtraSpaces, boolean escapeSpaces) {
        static Normalizer read(ByteBuffer bytes) {
            Protobuf message = new Protobuf(bytes);
            byte[] charsMap = {};
            boolean addDummyPrefix = true, removeExtraSpaces = true, escapeSpaces = true;
            while (message.next()) {
                switch (message.field()) {
                    case 2 -> charsMap = message.byteArray();
                    case 3 -> addDummyPrefix = message.flag();
                    case 4 -> removeExtraSpaces = message.flag();
                    case 5 -> escapeSpaces = message.flag();
                    default -> { }
                }
            }
            return new Normalizer(charsMap, addDummyPrefix, removeExtraSpaces, escapeSpaces);
        }
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
}
