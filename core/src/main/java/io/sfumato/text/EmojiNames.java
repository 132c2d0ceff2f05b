package io.sfumato.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** English names of emoji (Unicode 16, as the emoji package 2.16 has them): a red heart is {@code red_heart}. */
final class EmojiNames {
    private static final Node ROOT = read();

    /** What may follow a beginning of an emoji, and its name if it is a whole one. */
    private static final class Node {
        private final Map<Integer, Node> next = new HashMap<>();
        private String name = "";
    }

    private EmojiNames() {
    }

    private static Node read() {
        Node root = new Node();
        try (var lines = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(EmojiNames.class.getResourceAsStream("emoji-names.tsv.gz")), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] parts = line.split("\t");
                Node node = root;
                for (String code : parts[0].split(" ")) {
                    node = node.next.computeIfAbsent(Integer.parseInt(code, 16), c -> new Node());
                }
                node.name = parts[1];
            }
            return root;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The text with the longest emoji at each place replaced by their names. */
    static String spellOut(String text) {
        int[] codes = text.codePoints().toArray();
        StringBuilder spelt = new StringBuilder();
        for (int i = 0; i < codes.length;) {
            Node node = ROOT;
            String name = "";
            int end = i + 1;
            for (int j = i; j < codes.length && node.next.containsKey(codes[j]); j++) {
                node = node.next.get(codes[j]);
                if (!node.name.isEmpty()) {
                    name = node.name;
                    end = j + 1;
                }
            }
            if (name.isEmpty()) {
                spelt.appendCodePoint(codes[i]);
            } else {
                spelt.append(name);
            }
            i = end;
        }
        return spelt.toString();
    }
}
