package io.sfumato.text;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Learns a vocabulary of CLIP's kind from captions (Sennrich et al. 2016, sec. 3.2, over bytes): again and again the most frequent pair of
 * neighbours becomes a token, of equally frequent ones that with the lower ids, until there are {@code tokens} tokens or no pair occurs
 * twice. The same captions, in any order, give the same files. {@code tokens} counts the 512 byte letters and the two special tokens;
 * {@code maxLength} is the number of ids that a prompt will have.
 */
public record BpeTrainer(int tokens, int maxLength) {
    private static final int FIXED = 514;

    public BpeTrainer {
        if (tokens < FIXED) {
            throw new IllegalArgumentException("a vocabulary of %d tokens is too small; the byte letters and special tokens are %d"
                    .formatted(tokens, FIXED));
        }
        if (maxLength < 3) {
            throw new IllegalArgumentException("a prompt of %d ids is too short; start token, end token and text need 3 or more"
                    .formatted(maxLength));
        }
    }

    /** Learns from the captions and writes vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json into the folder. */
    public void train(Stream<String> captions, Path folder) {
        List<BytePairs.Merge> merges = new Learner(captions).learn(tokens - FIXED);
        ClipFolder.write(folder, merges, ClipTokenizer.SpecialTokens.CLIP, maxLength);
    }

    /** The words of the captions as symbols, and how often each pair of neighbours occurs in them. */
    private static final class Learner {
        private final List<String> symbols = new ArrayList<>();          // by id
        private final Map<String, Integer> ids = new HashMap<>();
        private final List<int[]> words = new ArrayList<>();
        private final List<Long> frequencies = new ArrayList<>();
        private final Map<Pair, Long> counts = new HashMap<>();
        private final Map<Pair, Set<Integer>> places = new HashMap<>();  // the words that have, or had, a pair

        private record Pair(int left, int right) { }

        private record Candidate(Pair pair, long count) {
            static final Comparator<Candidate> BEST_FIRST = Comparator.comparingLong(Candidate::count).reversed()
                    .thenComparingInt(c -> c.pair().left()).thenComparingInt(c -> c.pair().right());
        }

        Learner(Stream<String> captions) {
            ByteAlphabet.inVocabularyOrder().forEach(this::id);
            ByteAlphabet.inVocabularyOrder().forEach(letter -> id(letter + BytePairs.END));
            var frequency = new TreeMap<String, Long>();
            captions.flatMap(caption -> ClipWords.split(ClipWords.normalize(caption)).stream())
                    .forEach(word -> frequency.merge(word, 1L, Long::sum));
            frequency.forEach((word, count) -> {
                int last = word.length() - 1;
                words.add(word.chars().mapToObj(Character::toString).mapToInt(this::id).toArray());
                words.get(words.size() - 1)[last] = id(word.substring(last) + BytePairs.END);
                frequencies.add(count);
                count(words.size() - 1, 1);
            });
        }

        List<BytePairs.Merge> learn(int tokens) {
            var merges = new ArrayList<BytePairs.Merge>();
            var queue = new PriorityQueue<>(Candidate.BEST_FIRST);
            counts.forEach((pair, count) -> queue.add(new Candidate(pair, count)));
            int enough = symbols.size() + tokens;
            while (symbols.size() < enough && !queue.isEmpty()) {
                Candidate best = queue.poll();
                Pair pair = best.pair();
                if (best.count() < 2 || best.count() != counts.getOrDefault(pair, 0L)) {
                    continue;                                            // rare, or its count changed and it stands in the queue anew
                }
                merges.add(new BytePairs.Merge(symbols.get(pair.left()), symbols.get(pair.right())));
                int joined = id(symbols.get(pair.left()) + symbols.get(pair.right()));
                var changed = new HashSet<Pair>();
                for (int word : places.remove(pair)) {
                    count(word, -1);
                    pairs(words.get(word), changed);
                    words.set(word, join(words.get(word), pair, joined));
                    count(word, 1);
                    pairs(words.get(word), changed);
                }
                changed.forEach(each -> queue.add(new Candidate(each, counts.getOrDefault(each, 0L))));
            }
            return merges;
        }

        private int id(String symbol) {
            return ids.computeIfAbsent(symbol, s -> {
                symbols.add(s);
                return symbols.size() - 1;
            });
        }

        /** Adds the pairs of a word to the counts, or takes them away. */
        private void count(int word, int sign) {
            int[] s = words.get(word);
            for (int i = 0; i + 1 < s.length; i++) {
                var pair = new Pair(s[i], s[i + 1]);
                counts.merge(pair, sign * frequencies.get(word), Long::sum);
                if (sign > 0) {
                    places.computeIfAbsent(pair, p -> new HashSet<>()).add(word);
                }
            }
        }

        private static void pairs(int[] word, Set<Pair> into) {
            for (int i = 0; i + 1 < word.length; i++) {
                into.add(new Pair(word[i], word[i + 1]));
            }
        }

        private static int[] join(int[] word, Pair pair, int joined) {
            var out = new ArrayList<Integer>();
            for (int i = 0; i < word.length; i++) {
                boolean match = i + 1 < word.length && word[i] == pair.left() && word[i + 1] == pair.right();
                out.add(match ? joined : word[i]);
                i += match ? 1 : 0;
            }
            return out.stream().mapToInt(Integer::intValue).toArray();
        }
    }
}
