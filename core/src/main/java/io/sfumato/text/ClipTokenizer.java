package io.sfumato.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * CLIP's byte-level byte pair encoding (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
 * sec. 2.4) with the text rules of transformers 5: Unicode NFC, white space to single spaces, lower case; no repair of broken text and no
 * HTML entities, which is where OpenAI's first tokenizer differs. Special and added tokens in the text become single ids, a lone surrogate
 * becomes U+FFFD. Letters that are newer than the Unicode version of the running Java count as signs. Immutable.
 */
public final class ClipTokenizer {
    private static final int PUBLISHED_MERGES = 48894;                   // of the 262145 lines in OpenAI's file
    private static final int MAX_LENGTH = 1 << 20;
    private static final Pattern LONE_SURROGATE = Pattern.compile("\\p{Cs}");

    private final BytePairs pairs;
    private final List<AddedToken> added;
    private final SpecialTokens special;
    private final int maxLength;
    private final Map<String, Integer> addedIds = new LinkedHashMap<>();
    private final Set<Integer> hidden = new HashSet<>();                 // the special ones among them
    private final List<String> tokens;                                   // by id
    private final TokenScanner given;                                    // finds the added tokens in the text as it stands
    private final TokenScanner normalized;                               // and in the normalised text

    /** The tokens with a role. */
    record SpecialTokens(String bos, String eos, String unk, String pad) {
        static final SpecialTokens CLIP = new SpecialTokens("<|startoftext|>", "<|endoftext|>", "<|endoftext|>", "<|endoftext|>");
    }

    /**
     * A prompt as ids (maxLength): start token, text, end token, padding. {@code count} is the number of ids before the padding, start and
     * end included; {@code cutOff} is the text that did not fit, empty if all did.
     */
    public record Encoded(int[] ids, int count, String cutOff) { }

    /** Added tokens not in the vocabulary get the next free ids in the order given; of two entries for a token the later one holds. */
    ClipTokenizer(BytePairs pairs, List<AddedToken> added, SpecialTokens special, int maxLength) {
        if (maxLength < 3) {
            throw new IllegalArgumentException("model_max_length is %d; start token, end token and text need 3 or more"
                    .formatted(maxLength));
        }
        if (maxLength > MAX_LENGTH) {
            throw new IllegalArgumentException("model_max_length is %d; prompts have up to %d ids".formatted(maxLength, MAX_LENGTH));
        }
        this.pairs = pairs;
        this.added = List.copyOf(added);
        this.special = special;
        this.maxLength = maxLength;
        Map<String, Integer> vocabulary = pairs.vocabulary();
        int free = vocabulary.size();
        var asGiven = new HashMap<String, TokenScanner.Entry>();
        var inNormalized = new HashMap<String, TokenScanner.Entry>();
        var spellings = new HashMap<Integer, String>();
        vocabulary.forEach((token, id) -> spellings.put(id, token));
        var entries = new LinkedHashMap<String, AddedToken>();
        added.forEach(token -> entries.put(token.content(), token));
        for (AddedToken token : entries.values()) {
            int id = vocabulary.containsKey(token.content()) ? vocabulary.get(token.content()) : free++;
            addedIds.put(token.content(), id);
            if (token.special()) {
                hidden.add(id);
            }
            var entry = new TokenScanner.Entry(token, id);
            String spelling = token.normalized() ? ClipWords.normalize(token.content()) : token.content();
            (token.normalized() ? inNormalized : asGiven).put(spelling, entry);
            spellings.put(id, spelling);
        }
        this.tokens = IntStream.range(0, free).mapToObj(spellings::get).toList();
        this.given = new TokenScanner(asGiven);
        this.normalized = new TokenScanner(inNormalized);
    }

    /**
     * Loads a folder with tokenizer.json or with vocab.json and merges.txt, and with what it has of tokenizer_config.json,
     * special_tokens_map.json and added_tokens.json. A missing file is an UncheckedIOException, a wrong one an IllegalArgumentException.
     */
    public static ClipTokenizer load(Path folder) {
        return new ClipFolder(folder).tokenizer();
    }

    /**
     * The published vocabulary of 49408 tokens from OpenAI's bpe_simple_vocab_16e6.txt.gz; 77 ids a prompt, padded with the end token.
     * The stream is left open.
     */
    public static ClipTokenizer fromMerges(InputStream gzip) {
        List<BytePairs.Merge> merges = publishedMerges(gzip);
        SpecialTokens special = SpecialTokens.CLIP;
        var pairs = new BytePairs(vocabulary(merges), merges, "the merges of CLIP");
        var start = new AddedToken(special.bos(), true, true, false, false, false);    // so the published folders have it
        return new ClipTokenizer(pairs, List.of(start, AddedToken.special(special.eos())), special, 77);
    }

    /** Writes the same vocabulary as a folder, padded with {@code pad}. */
    public static void unpack(InputStream gzip, String pad, Path folder) {
        SpecialTokens clip = SpecialTokens.CLIP;
        ClipFolder.write(folder, publishedMerges(gzip), new SpecialTokens(clip.bos(), clip.eos(), clip.unk(), pad), 77);
    }

    private static List<BytePairs.Merge> publishedMerges(InputStream gzip) {
        var merges = new ArrayList<BytePairs.Merge>(PUBLISHED_MERGES);
        try {
            var lines = new BufferedReader(new InputStreamReader(new GZIPInputStream(gzip), StandardCharsets.UTF_8)).lines();
            lines.skip(1).limit(PUBLISHED_MERGES).map(line -> merge(line, "the merges of CLIP")).forEach(merges::add);
        } catch (IOException | UncheckedIOException e) {
            throw new IllegalArgumentException("the merges of CLIP are no whole gzip file: " + e.getMessage(), e);
        }
        if (merges.size() < PUBLISHED_MERGES) {
            throw new IllegalArgumentException("the merges of CLIP are %d lines after the first; %d are needed"
                    .formatted(merges.size(), PUBLISHED_MERGES));
        }
        return merges;
    }

    /** This tokenizer with further tokens, found in normalised text, as transformers' add_tokens does; one already there keeps its id. */
    public ClipTokenizer withTokens(List<String> contents) {
        return new ClipTokenizer(pairs, append(contents.stream().map(AddedToken::plain)), special, maxLength);
    }

    /** This tokenizer padding with another token of its vocabulary, such as "!"; from then on it is a single id in the text as well. */
    public ClipTokenizer withPadding(String token) {
        id(token);
        var renamed = new SpecialTokens(special.bos(), special.eos(), special.unk(), token);
        return new ClipTokenizer(pairs, append(Stream.of(AddedToken.special(token))), renamed, maxLength);
    }

    /** The ids of a text of any length, without start, end and padding. */
    public int[] ids(String text) {
        var ids = IntStream.builder();
        int unknown = id(special.unk());
        given.scan(LONE_SURROGATE.matcher(text).replaceAll("\uFFFD"), part -> normalized.scan(ClipWords.normalize(part),
                words -> ClipWords.split(words).forEach(word -> pairs.encode(word, unknown, ids::add)), ids::add), ids::add);
        return ids.build().toArray();
    }

    /** The ids of a prompt as the text encoder takes them, (maxLength). */
    public Encoded encode(String text) {
        int[] content = ids(text);
        int kept = Math.min(content.length, maxLength - 2);
        var ids = new int[maxLength];
        Arrays.fill(ids, padId());
        ids[0] = bosId();
        System.arraycopy(content, 0, ids, 1, kept);
        ids[kept + 1] = eosId();
        return new Encoded(ids, kept + 2, text(Arrays.stream(content, kept, content.length)));
    }

    /** The text of some ids, without the special tokens, each word followed by a space but for the last. */
    public String decode(int[] ids) {
        return text(Arrays.stream(ids).filter(id -> !hidden.contains(id)));
    }

    /** The number of tokens, added ones included. */
    public int vocabSize() {
        return tokens.size();
    }

    public int bosId() {
        return id(special.bos());
    }

    public int eosId() {
        return id(special.eos());
    }

    public int padId() {
        return id(special.pad());
    }

    /** The number of ids in a prompt, start and end included: 77 in the published models. */
    public int maxLength() {
        return maxLength;
    }

    /** The id of a token in the vocabulary's own spelling, such as "cat&lt;/w&gt;"; an IllegalArgumentException if there is none. */
    public int id(String token) {
        Integer id = addedIds.containsKey(token) ? addedIds.get(token) : pairs.vocabulary().get(token);
        if (id == null) {
            throw new IllegalArgumentException("no token \"%s\" among the %d of the vocabulary".formatted(token, vocabSize()));
        }
        return id;
    }

    /** A line of a merge list; {@code source} is named if it has not two parts. */
    static BytePairs.Merge merge(String line, String source) {
        String[] parts = line.split(" ", -1);
        if (parts.length != 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
            throw new IllegalArgumentException("%s: the merge \"%s\" is not two tokens with a space between".formatted(source, line));
        }
        return new BytePairs.Merge(parts[0], parts[1]);
    }

    /** The vocabulary in CLIP's order: the byte letters, the same at the end of a word, the merged tokens, start and end token. */
    static Map<String, Integer> vocabulary(List<BytePairs.Merge> merges) {
        var vocabulary = new LinkedHashMap<String, Integer>();
        ByteAlphabet.inVocabularyOrder().forEach(letter -> vocabulary.put(letter, vocabulary.size()));
        ByteAlphabet.inVocabularyOrder().forEach(letter -> vocabulary.put(letter + BytePairs.END, vocabulary.size()));
        merges.forEach(merge -> vocabulary.putIfAbsent(merge.left() + merge.right(), vocabulary.size()));
        vocabulary.put(SpecialTokens.CLIP.bos(), vocabulary.size());
        vocabulary.put(SpecialTokens.CLIP.eos(), vocabulary.size());
        return vocabulary;
    }

    private String text(IntStream ids) {
        String joined = ByteAlphabet.decode(ids.mapToObj(this::token).toList());
        return joined.replace(BytePairs.END, " ").strip();
    }

    private String token(int id) {
        if (id < 0 || id >= vocabSize()) {
            throw new IllegalArgumentException("no token has the id %d; the vocabulary has 0 to %d".formatted(id, vocabSize() - 1));
        }
        return tokens.get(id);
    }

    private List<AddedToken> append(Stream<AddedToken> more) {
        return Stream.concat(added.stream(), more).toList();
    }
}
