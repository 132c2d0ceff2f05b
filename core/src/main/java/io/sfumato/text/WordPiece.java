package io.sfumato.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.text.Normalizer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * BERT's word pieces (Schuster and Nakajima 2012; Devlin et al. 2019, 3): cleaned, lower-case words are cut, from the left, into the
 * longest pieces of the vocabulary; pieces inside a word begin with {@code ##}. Reads the {@code tokenizer.json} of such a model and
 * gives the ids of the {@code tokenizers} library. Immutable.
 */
public final class WordPiece {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MARK = Character.NON_SPACING_MARK;

    private final Map<String, Integer> vocabulary = new HashMap<>();
    private final TokenScanner special;
    private final String prefix;
    private final int unknown;
    private final int first;
    private final int last;
    private final int longestWord;
    private final boolean cleans;
    private final boolean partsChinese;
    private final boolean stripsAccents;
    private final boolean lowers;

    /** A text as ids: start token, text, end token; {@code cut} is how many ids of the text did not fit. */
    public record Encoded(int[] ids, int cut) {
    }

    private WordPiece(JsonNode json) {
        JsonNode model = json.path("model"), normalizer = json.path("normalizer");
        require(model, "model.type", "type", "WordPiece");
        require(normalizer, "normalizer.type", "type", "BertNormalizer");
        require(json.path("pre_tokenizer"), "pre_tokenizer.type", "type", "BertPreTokenizer");
        model.path("vocab").properties().forEach(e -> vocabulary.put(e.getKey(), e.getValue().asInt()));
        prefix = model.path("continuing_subword_prefix").asText("##");
        longestWord = model.path("max_input_chars_per_word").asInt(100);
        unknown = id(model.path("unk_token").asText("[UNK]"));
        first = id("[CLS]");
        last = id("[SEP]");
        cleans = normalizer.path("clean_text").asBoolean(true);
        partsChinese = normalizer.path("handle_chinese_chars").asBoolean(true);
        lowers = normalizer.path("lowercase").asBoolean(true);
        stripsAccents = normalizer.path("strip_accents").asBoolean(lowers);
        Map<String, TokenScanner.Entry> entries = new HashMap<>();
        json.path("added_tokens").forEach(t -> entries.put(t.path("content").asText(),
                new TokenScanner.Entry(AddedToken.special(t.path("content").asText()), t.path("id").asInt())));
        special = new TokenScanner(entries);
    }

    /**
     * Reads a {@code tokenizer.json}; the stream is left open.
     *
     * @throws IllegalArgumentException naming the key that is not that of word pieces
     */
    public static WordPiece read(InputStream tokenizerJson) {
        try {
            return new WordPiece(JSON.readTree(tokenizerJson));
        } catch (IOException e) {
            throw new IllegalArgumentException("tokenizer.json: no JSON: " + e.getMessage().lines().findFirst().orElse(""), e);
        }
    }

    private static void require(JsonNode json, String path, String key, String wanted) {
        if (!json.path(key).asText().equals(wanted)) {
            throw new IllegalArgumentException("tokenizer.json: " + path + " is " + json.path(key) + ", where \"" + wanted + "\" is wanted");
        }
    }

    private int id(String token) {
        if (!vocabulary.containsKey(token)) {
            throw new IllegalArgumentException("tokenizer.json: the vocabulary has no " + token);
        }
        return vocabulary.get(token);
    }

    /** At most {@code maxLength} ids, start and end token among them. */
    public Encoded encode(String text, int maxLength) {
        int[] content = ids(text);
        int kept = Math.min(content.length, maxLength - 2);
        int[] ids = new int[kept + 2];
        ids[0] = first;
        System.arraycopy(content, 0, ids, 1, kept);
        ids[kept + 1] = last;
        return new Encoded(ids, content.length - kept);
    }

    /** The ids of a text of any length, without start and end. */
    public int[] ids(String text) {
        var ids = IntStream.builder();
        special.scan(text, part -> BertWords.split(normalized(part)).forEach(word -> pieces(word, ids::add)), ids::add);
        return ids.build().toArray();
    }

    private String normalized(String text) {
        String plain = BertWords.clean(text, cleans, partsChinese);
        if (stripsAccents) {
            StringBuilder bare = new StringBuilder();
            Normalizer.normalize(plain, Normalizer.Form.NFD).codePoints().filter(c -> Character.getType(c) != MARK)
                    .forEach(bare::appendCodePoint);
            plain = bare.toString();
        }
        return lowers ? BertWords.lower(plain) : plain;
    }

    private void pieces(String word, IntConsumer ids) {
        int[] letters = word.codePoints().toArray();
        if (letters.length > longestWord) {
            ids.accept(unknown);
            return;
        }
        var found = IntStream.builder();
        for (int from = 0; from < letters.length;) {
            int to = letters.length;
            String piece = piece(letters, from, to);
            while (to > from && !vocabulary.containsKey(piece)) {
                to--;
                piece = piece(letters, from, to);
            }
            if (to == from) {
                ids.accept(unknown);
                return;
            }
            found.add(vocabulary.get(piece));
            from = to;
        }
        found.build().forEach(ids);
    }

    private String piece(int[] letters, int from, int to) {
        return (from > 0 ? prefix : "") + new String(letters, from, to - from);
    }
}
