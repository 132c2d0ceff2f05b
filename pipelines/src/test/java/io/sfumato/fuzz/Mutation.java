package io.sfumato.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Ways to spoil bytes and texts, each drawn from {@code random}. */
record Mutation(Random random) {
    private static final long[] NUMBERS = {0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, 65536, 0x7fffffffL, 0x80000000L, 0xffffffffL,
        1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, -1, -2};
    private static final List<String> WORDS = List.of("0", "-1", "1", "2", "3", "1e999", "-1e999", "0.5", "2147483647", "-2147483648",
        "9223372036854775807", "99999999999999999999999999", "null", "true", "false", "[]", "{}", "\"\"", "\"x\"", "[0]", "[-1, 2]",
        "[[[[]]]]", "[1, 2, 3, 4, 5, 6, 7, 8]", "\"\\u0000\"", "\"\\ud800\"", "NaN", "{\"a\": {\"b\": []}}", "\n", "");

    byte[] bytes(byte[] whole) {
        byte[] data = whole.clone();
        for (int i = 1 + random.nextInt(3); i > 0 && data.length > 0; i--) {
            int at = random.nextInt(data.length);
            switch (random.nextInt(9)) {
                case 0 -> data[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> data[at] = (byte) random.nextInt();
                case 2, 3 -> number(data, at);
                case 4 -> Arrays.fill(data, at, Math.min(data.length, at + 1 + random.nextInt(16)), (byte) -random.nextInt(2));
                case 5 -> data = spliced(data, at, at + random.nextInt(1 + Math.min(32, data.length - at)), new byte[0]);
                case 6 -> data = spliced(data, at, at, Arrays.copyOfRange(whole, 0, random.nextInt(1 + Math.min(64, whole.length))));
                case 7 -> copy(whole, random.nextInt(whole.length), data, at);
                default -> data = random.nextInt(4) == 0 ? Arrays.copyOf(data, at) : spliced(data, at, at, new byte[] {data[at]});
            }
        }
        return data;
    }

    private void copy(byte[] from, int at, byte[] to, int there) {
        System.arraycopy(from, at, to, there, Math.min(1 + random.nextInt(16), Math.min(from.length - at, to.length - there)));
    }

    /** Writes a telling number of 1 to 8 bytes, of either order. */
    private void number(byte[] data, int at) {
        ByteBuffer buffer = ByteBuffer.allocate(8).order(random.nextBoolean() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        buffer.putLong(number() + random.nextInt(3) - 1);
        int width = 1 << random.nextInt(4);
        int from = buffer.order() == ByteOrder.BIG_ENDIAN ? 8 - width : 0;
        System.arraycopy(buffer.array(), from, data, at, Math.min(width, data.length - at));
    }

    long number() {
        return NUMBERS[random.nextInt(NUMBERS.length)];
    }

    static byte[] spliced(byte[] data, int from, int to, byte[] middle) {
        byte[] all = new byte[data.length - (to - from) + middle.length];
        System.arraycopy(data, 0, all, 0, from);
        System.arraycopy(middle, 0, all, from, middle.length);
        System.arraycopy(data, to, all, from + middle.length, data.length - to);
        return all;
    }

    /** A JSON or word-per-line text with values, keys or lines replaced, or with its bytes spoilt. */
    byte[] text(byte[] whole) {
        if (random.nextInt(5) == 0) {
            return bytes(whole);
        }
        String text = new String(whole, StandardCharsets.UTF_8);
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            text = random.nextInt(40) == 0 ? text.replaceFirst("[0-9]+", "[".repeat(20_000)) : withWord(text);
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A value, which ends before a comma, a bracket or a line, becomes another. */
    private String withWord(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int at = random.nextInt(text.length());
        int from = at;
        while (from > 0 && ":,[{\n".indexOf(text.charAt(from - 1)) < 0) {
            from--;
        }
        int to = at;
        while (to < text.length() && ",]}\n:".indexOf(text.charAt(to)) < 0) {
            to++;
        }
        return text.substring(0, from) + WORDS.get(random.nextInt(WORDS.size())) + text.substring(to);
    }

    <T> T one(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
