package io.sfumato.text;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The text tokenizer of minDALL-E: pairs of characters, the last of a word marked with {@code </w>}, as the {@code CharBPETokenizer} of
 * the tokenizers library joins them. Lower case; accents stay; an unknown character is one {@code [UNK]}.
 */
public final class CharacterPairs {
    private final MergedPairs pairs;
    private final int unknown;
    private final int pad;

    /** A text as {@code length} ids, and how many ids the whole text has. */
    public record Encoded(int[] ids, int whole) {
    }

    /** @throws IllegalArgumentException naming what is wrong with the files */
    public CharacterPairs(Path vocab, Path merges) {
        pairs = new MergedPairs(vocab, merges);
        unknown = pairs.id("[UNK]");
        pad = pairs.id("[PAD]");
    }

    public int size() {
        return pairs.size();
    }

    /** Exactly {@code length} ids: cut, or padded. */
    public Encoded encode(String text, int length) {
        List<Integer> ids = new ArrayList<>();
        for (String word : BertWords.split(BertWords.lower(BertWords.clean(text, true, true)))) {
            List<String> letters = new ArrayList<>(word.codePoints().mapToObj(Character::toString).toList());
            letters.set(letters.size() - 1, letters.get(letters.size() - 1) + BytePairs.END);
            ids.addAll(pairs.ids(letters, unknown));
        }
        int[] padded = new int[length];
        for (int i = 0; i < length; i++) {
            padded[i] = i < ids.size() ? ids.get(i) : pad;
        }
        return new Encoded(padded, ids.size());
    }
}
