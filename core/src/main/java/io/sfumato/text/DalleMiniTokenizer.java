package io.sfumato.text;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The text tokenizer of DALL-E mini as min-dalle has it: emoji become their names, other than ASCII is dropped, words are cut at single
 * spaces and begin with a stand-in for the space. Reads {@code vocab.json} and {@code merges.txt}.
 */
public final class DalleMiniTokenizer {
    private static final String SPACE = Character.toString(' ' + 256);

    private final MergedPairs pairs;
    private final int start;
    private final int end;
    private final int pad;
    private final int unknown;

    /** @throws IllegalArgumentException naming what is wrong with the files */
    public DalleMiniTokenizer(Path vocab, Path merges) {
        pairs = new MergedPairs(vocab, merges);
        start = pairs.id("<s>");
        end = pairs.id("</s>");
        pad = pairs.id("<pad>");
        unknown = pairs.id("<unk>");
    }

    public int size() {
        return pairs.size();
    }

    public int pad() {
        return pad;
    }

    /** All ids of a text, start and end among them. */
    public int[] ids(String text) {
        String plain = EmojiNames.spellOut(text).toLowerCase(Locale.ROOT);
        String ascii = plain.codePoints().filter(c -> c < 128)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
        List<Integer> ids = new ArrayList<>(List.of(start));
        for (String word : ascii.split(" ")) {
            if (!word.isEmpty()) {
                List<String> letters = new ArrayList<>(List.of(SPACE));
                letters.addAll(Arrays.asList(word.split("")));
                ids.addAll(pairs.ids(letters, unknown));
            }
        }
        ids.add(end);
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }
}
