package io.sfumato.text;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The tokenizer of T5 (Raffel et al. 2020, 2.2.1) by the rules of transformers 5: special and sentinel tokens in the text become single
 * ids, the rest is normalized letter by letter by the rules of its SentencePiece model, and each word is cut into its most probable
 * pieces. {@link SentencePiece} gives the ids of the original library instead, which knows no special tokens. Immutable.
 */
public final class T5Tokenizer {
    private static final Pattern LONE_SURROGATE = Pattern.compile("\\p{Cs}");
    private static final Pattern LETTER = Pattern.compile("\\X");
    /** Longer letters, with all their accents, are normalized character by character. */
    private static final int LONGEST_LETTER = 5;

    private final List<String> tokens;                                   // by id
    private final Map<String, Integer> ids = new HashMap<>();
    private final Unigram unigram;
    private final CharsMap rules;
    private final TokenScanner special;
    private final int end;
    private final int padding;

    /**
     * What a tokenizer's folder says.
     *
     * @param pieces spellings by id, which {@code added} may repeat; those that it does not get the next ids
     */
    record Parts(List<String> pieces, List<Double> scores, int unknown, CharsMap rules, List<AddedToken> added, String end, String padding) {
    }

    /**
     * A prompt as ids: text, end token, padding. {@code count} is the number of ids before the padding, {@code cutOff} the text that did
     * not fit, empty if all did.
     */
    public record Encoded(int[] ids, int count, String cutOff) {
        /** 1 for text and end token, 0 for padding. */
        public int[] mask() {
            return IntStream.range(0, ids.length).map(i -> i < count ? 1 : 0).toArray();
        }
    }

    T5Tokenizer(Parts parts) {
        tokens = new ArrayList<>(parts.pieces);
        var spelt = new ArrayList<Unigram.Piece>();
        for (int i = 0; i < tokens.size(); i++) {
            ids.put(tokens.get(i), i);
            spelt.add(new Unigram.Piece(tokens.get(i), i, parts.scores.get(i)));
        }
        double least = parts.scores.stream().mapToDouble(score -> score).min().orElse(0);
        unigram = new Unigram(spelt, parts.unknown, least, Unigram.Sum.DOUBLE);
        rules = parts.rules;
        for (AddedToken token : parts.added) {
            if (ids.putIfAbsent(token.content(), tokens.size()) == null) {
                tokens.add(token.content());
            }
        }
        special = new TokenScanner(parts.added.stream().collect(Collectors.toMap(AddedToken::content,
                token -> new TokenScanner.Entry(token, ids.get(token.content())), (first, second) -> second)));
        end = id(parts.end);
        padding = id(parts.padding);
    }

    /**
     * Loads a folder with tokenizer.json or spiece.model, and with what it has of tokenizer_config.json and special_tokens_map.json.
     *
     * @throws RuntimeException for a file that is missing or damaged, naming it in one line
     */
    public static T5Tokenizer load(Path folder) {
        return new T5Tokenizer(new T5Folder(folder).parts());
    }

    /** The ids of a text of any length, without end token and padding. */
    public int[] ids(String text) {
        var out = IntStream.builder();
        special.scan(LONE_SURROGATE.matcher(text).replaceAll("\uFFFD"),
                part -> words(normalize(part), word -> unigram.encode(word, (id, from, to) -> out.add(id))), out::add);
        return out.build().toArray();
    }

    /** The ids of a prompt as text encoders take them, {@code length} in all. */
    public Encoded encode(String text, int length) {
        if (length < 1) {
            throw new IllegalArgumentException("a prompt of " + length + " ids; the end token needs 1");
        }
        int[] content = ids(text);
        int kept = Math.min(content.length, length - 1);
        int[] ids = Arrays.copyOf(content, length);
        Arrays.fill(ids, kept, length, padding);
        ids[kept] = end;
        return new Encoded(ids, kept + 1, decode(Arrays.copyOfRange(content, kept, content.length)));
    }

    /** The text of some ids, special tokens included. */
    public String decode(int[] ids) {
        return Arrays.stream(ids).mapToObj(this::token).collect(Collectors.joining()).replace(SentencePiece.SPACE, " ").strip();
    }

    /** The number of tokens, added ones included. */
    public int vocabSize() {
        return tokens.size();
    }

    public int endId() {
        return end;
    }

    public int padId() {
        return padding;
    }

    /** The id of a token in the vocabulary's own spelling; an IllegalArgumentException if there is none. */
    public int id(String token) {
        Integer id = ids.get(token);
        if (id == null) {
            throw new IllegalArgumentException("no token \"%s\" among the %d of the vocabulary".formatted(token, vocabSize()));
        }
        return id;
    }

    private String token(int id) {
        if (id < 0 || id >= vocabSize()) {
            throw new IllegalArgumentException("no token has the id %d; the vocabulary has 0 to %d".formatted(id, vocabSize() - 1));
        }
        return tokens.get(id);
    }

    /** A letter with its accents is replaced whole where a rule begins it, else each of its characters. */
    private String normalize(String text) {
        var out = new StringBuilder();
        var letter = LETTER.matcher(text);
        while (letter.find()) {
            byte[] bytes = letter.group().getBytes(StandardCharsets.UTF_8);
            if (bytes.length > LONGEST_LETTER || !replaced(bytes, out)) {
                letter.group().codePoints().mapToObj(Character::toString).forEach(c -> {
                    if (!replaced(c.getBytes(StandardCharsets.UTF_8), out)) {
                        out.append(c);
                    }
                });
            }
        }
        return out.toString();
    }

    private boolean replaced(byte[] spelling, StringBuilder out) {
        List<CharsMap.Match> matches = rules.matches(spelling, 0);
        matches.stream().findFirst().ifPresent(shortest -> out.append(shortest.replacement()));
        return !matches.isEmpty();
    }

    /** Words begin at white space, where they get the letter for a space in front, and at each such letter in the text itself. */
    private static void words(String text, Consumer<String> word) {
        int from = 0;
        for (int at = 0; at <= text.length(); at++) {
            if (at == text.length() || ClipWords.isSpace(text.charAt(at))) {
                if (at > from) {
                    String run = text.substring(from, at);
                    String marked = run.startsWith(SentencePiece.SPACE) ? run : SentencePiece.SPACE + run;
                    Arrays.stream(marked.split("(?=" + SentencePiece.SPACE + ")")).forEach(word);
                }
                from = at + 1;
            }
        }
    }
}
