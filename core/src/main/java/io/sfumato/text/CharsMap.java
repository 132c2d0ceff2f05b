package io.sfumato.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * SentencePiece's compiled normalization rules (Kudo and Richardson 2018, 3.2): a double-array trie of UTF-8 spellings, each leading to
 * its replacement. Layout: the trie's length in bytes, its units of 32 bits (darts-clone), then the replacements, each ended by a zero.
 */
final class CharsMap {
    private final int[] units;
    private final byte[] replacements;

    /** A rule that applies: {@code length} bytes become {@code replacement}. */
    record Match(String replacement, int length) { }

    /** @param source the file, for messages */
    CharsMap(byte[] blob, String source) {
        ByteBuffer buffer = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
        long trie = blob.length < 4 ? -1 : Integer.toUnsignedLong(buffer.getInt());
        if (blob.length > 0 && (trie < 4 || trie % 4 != 0 || trie > blob.length - 4)) {
            throw new IllegalArgumentException("%s: the normalization rules of %d bytes are damaged: a trie of %d bytes does not fit in"
                    .formatted(source, blob.length, trie));
        }
        units = new int[(int) Math.max(0, trie / 4)];
        for (int i = 0; i < units.length; i++) {
            units[i] = buffer.getInt();
        }
        replacements = new byte[buffer.remaining()];
        buffer.get(replacements);
    }

    /** The rules that make letters A to Z small, as a model's file has them. */
    static byte[] smallLetters() {
        int letters = 26, first = 256, leaves = 512;
        ByteBuffer blob = ByteBuffer.allocate(4 + 4 * 2 * leaves + 2 * letters).order(ByteOrder.LITTLE_ENDIAN);
        blob.putInt(4 * 2 * leaves);
        for (int i = 0; i < 2 * leaves; i++) {
            blob.putInt(1 << 31);                                        // no letter leads to a unit like this
        }
        blob.putInt(4, first << 10);
        for (int i = 0; i < letters; i++) {
            int letter = first ^ 'A' + i;
            blob.putInt(4 + 4 * letter, leaves << 10 | 1 << 8 | 'A' + i).putInt(4 + 4 * (letter ^ leaves), 1 << 31 | 2 * i);
            blob.put((byte) ('a' + i)).put((byte) 0);
        }
        return blob.array();
    }

    /** The rules whose spelling stands at {@code from}, the shortest first. */
    List<Match> matches(byte[] text, int from) {
        var matches = new ArrayList<Match>();
        int node = units.length == 0 ? 0 : offset(units[0]);
        for (int i = from; i < text.length && node < units.length; i++) {
            node ^= text[i] & 0xff;
            if (node >= units.length || (units[node] & 0x800000ff) != (text[i] & 0xff)) {
                break;
            }
            boolean ends = (units[node] >> 8 & 1) == 1;
            node ^= offset(units[node]);
            if (ends && node < units.length) {
                matches.add(new Match(replacement(units[node] & 0x7fffffff), i + 1 - from));
            }
        }
        return matches;
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >> 6);
    }

    private String replacement(int at) {
        int end = Math.min(at, replacements.length);
        while (end < replacements.length && replacements[end] != 0) {
            end++;
        }
        return new String(replacements, Math.min(at, end), end - Math.min(at, end), StandardCharsets.UTF_8);
    }
}
