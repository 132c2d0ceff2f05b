package io.sfumato.text;

import io.sfumato.text.SentencePieceModel.Piece;
import io.sfumato.text.SentencePieceModel.Type;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * SentencePiece's unigram tokenizer (Kudo and Richardson 2018) over a {@code .model} file: normalization by the file's rules, spaces
 * as the letter U+2581, then the most probable pieces. Equal to {@code SentencePieceProcessor.encode}: no end token, and the names of
 * control pieces are plain text. Immutable.
 */
public final class SentencePiece {
    static final String SPACE = "\u2581";
    private static final Pattern LONE_SURROGATE = Pattern.compile("\\p{Cs}");

    private final SentencePieceModel model;
    private final CharsMap rules;
    private final Unigram unigram;
    private final List<byte[]> userDefined;                              // in UTF-8, the longest first: these are not normalized
    private final Map<String, Integer> ids = new HashMap<>();
    private final int unknown;

    SentencePiece(SentencePieceModel model) {
        this.model = model;
        rules = new CharsMap(model.charsMap(), model.source());
        userDefined = model.pieces().stream().filter(piece -> piece.type() == Type.USER_DEFINED)
                .map(piece -> piece.spelling().getBytes(StandardCharsets.UTF_8))
                .sorted(Comparator.comparingInt((byte[] spelling) -> spelling.length).reversed()).toList();
        for (int i = 0; i < model.pieces().size(); i++) {
            ids.put(model.pieces().get(i).spelling(), i);
        }
        unknown = IntStream.range(0, model.pieces().size()).filter(i -> model.pieces().get(i).type() == Type.UNKNOWN)
                .findFirst().orElseThrow();
        var range = model.pieces().stream().filter(piece -> piece.type() == Type.NORMAL).mapToDouble(Piece::score).summaryStatistics();
        unigram = new Unigram(spelt(range.getMax()), unknown, range.getMin(), Unigram.Sum.FLOAT);
    }

    /** The pieces that a text can be cut into. A user-defined one beats any other cut of its spelling. */
    private List<Unigram.Piece> spelt(double largest) {
        var spelt = new ArrayList<Unigram.Piece>();
        for (int i = 0; i < model.pieces().size(); i++) {
            Piece piece = model.pieces().get(i);
            if (piece.type() == Type.NORMAL) {
                spelt.add(new Unigram.Piece(piece.spelling(), i, piece.score()));
            } else if (piece.type() == Type.USER_DEFINED) {
                int length = piece.spelling().getBytes(StandardCharsets.UTF_8).length;
                spelt.add(new Unigram.Piece(piece.spelling(), i, (float) (length * largest - 0.1)));
            }
        }
        return spelt;
    }

    /** @throws IllegalArgumentException for a file that is no unigram model, naming it and what is wrong */
    public static SentencePiece load(Path file) {
        return new SentencePiece(SentencePieceModel.read(file));
    }

    /** The number of pieces. */
    public int size() {
        return model.pieces().size();
    }

    public String piece(int id) {
        if (id < 0 || id >= size()) {
            throw new IllegalArgumentException("no piece has the id %d; %s has 0 to %d".formatted(id, model.source(), size() - 1));
        }
        return model.pieces().get(id).spelling();
    }

    /** The ids of a text, without an end token. */
    public int[] ids(String text) {
        String normalized = normalize(LONE_SURROGATE.matcher(text).replaceAll("\uFFFD"));
        var out = IntStream.builder();
        unigram.encode(normalized, (id, start, end) -> {
            if (id == unknown && model.byteFallback()) {
                bytes(normalized.substring(start, end), out::add);
            } else {
                out.add(id);
            }
        });
        return out.build().toArray();
    }

    private void bytes(String unknownText, IntConsumer out) {
        for (byte b : unknownText.getBytes(StandardCharsets.UTF_8)) {
            out.accept(ids.getOrDefault("<0x%02X>".formatted(b & 0xff), unknown));
        }
    }

    /** The text by the model's rules, spaces as it marks them. */
    String normalize(String text) {
        byte[] in = text.getBytes(StandardCharsets.UTF_8);
        var out = new StringBuilder();
        boolean afterSpace = model.removeExtraSpaces();
        for (int at = 0; at < in.length; ) {
            CharsMap.Match next = next(in, at);
            String piece = afterSpace ? next.replacement().replaceFirst("^ +", "") : next.replacement();
            out.append(piece);
            afterSpace = model.removeExtraSpaces() && (piece.isEmpty() ? afterSpace : piece.endsWith(" "));
            at += next.length();
        }
        String space = model.escapeSpaces() ? SPACE : " ";
        String plain = out.toString().replace(" ", space);
        while (model.removeExtraSpaces() && plain.endsWith(space)) {
            plain = plain.substring(0, plain.length() - 1);
        }
        boolean marked = model.addDummyPrefix() && !(model.removeExtraSpaces() ? plain : text).isEmpty();
        return !marked ? plain : model.spaceAsSuffix() ? plain + space : space + plain;
    }

    /** What stands at {@code at}, normalized: a user-defined piece as it is, else by the longest rule, else one character as it is. */
    private CharsMap.Match next(byte[] text, int at) {
        int characters = (text[at] & 0x80) == 0 ? 1 : (text[at] & 0xe0) == 0xc0 ? 2 : (text[at] & 0xf0) == 0xe0 ? 3 : 4;
        for (byte[] own : userDefined) {
            if (Arrays.equals(text, at, Math.min(at + own.length, text.length), own, 0, own.length)) {
                return new CharsMap.Match(new String(own, StandardCharsets.UTF_8), own.length);
            }
        }
        List<CharsMap.Match> matches = rules.matches(text, at);
        return matches.isEmpty() ? new CharsMap.Match(new String(text, at, characters, StandardCharsets.UTF_8), characters)
                : matches.get(matches.size() - 1);
    }

    /** The text of some ids; control pieces are left out, unknown ones are written as the model says. */
    public String decode(int[] ids) {
        var out = new StringBuilder();
        var bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            String spelling = piece(id);
            Type type = model.pieces().get(id).type();
            if (type == Type.BYTE) {
                bytes.write(Integer.parseInt(spelling.substring(3, 5), 16));
                continue;
            }
            flush(bytes, out);
            if (type == Type.UNKNOWN) {
                out.append(model.unknownSurface());
            } else if (type != Type.CONTROL) {
                boolean first = out.isEmpty() && (model.addDummyPrefix() || model.removeExtraSpaces());
                out.append((first ? spelling.replaceFirst("^" + SPACE + (model.removeExtraSpaces() ? "+" : ""), "") : spelling)
                        .replace(SPACE, " "));
            }
        }
        flush(bytes, out);
        return out.toString();
    }

    private static void flush(ByteArrayOutputStream bytes, StringBuilder out) {
        out.append(bytes.toString(StandardCharsets.UTF_8));
        bytes.reset();
    }
}
