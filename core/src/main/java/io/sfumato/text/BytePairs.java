package io.sfumato.text;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.IntConsumer;

/**
 * Byte pair encoding (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", section 3.2) with the end of a
 * word marked on its last symbol. Immutable; a word of n letters costs O(n log n).
 */
final class BytePairs {
    static final String END = "</w>";

    /** One line of the merge list; the earlier of two merges is done first. */
    record Merge(String left, String right) { }

    private final Map<String, Integer> vocabulary;
    private final Map<Long, Integer> ranks = new HashMap<>();            // pair of ids to line of the merge list
    private final int[] merged;                                          // line of the merge list to id of the joined token

    /** Takes tokens with ids 0 to n-1 and merges in order; {@code source} is named when they do not fit together. */
    BytePairs(Map<String, Integer> vocabulary, List<Merge> merges, String source) {
        checkIds(vocabulary, source);
        this.vocabulary = Map.copyOf(vocabulary);
        this.merged = new int[merges.size()];
        for (int rank = 0; rank < merged.length; rank++) {
            Merge merge = merges.get(rank);
            int left = id(merge.left(), merge, rank, source);
            int right = id(merge.right(), merge, rank, source);
            merged[rank] = id(merge.left() + merge.right(), merge, rank, source);
            ranks.put(pair(left, right), rank);
        }
    }

    Map<String, Integer> vocabulary() {
        return vocabulary;
    }

    /** Hands out the ids of a word spelt in the byte alphabet; a letter outside the vocabulary becomes {@code unknown}. */
    void encode(String word, int unknown, IntConsumer out) {
        int n = word.length();
        var ids = new int[n];
        var next = new int[n];                                           // the symbols are a linked list in the order of the word
        var previous = new int[n];
        for (int i = 0; i < n; i++) {
            String letter = word.substring(i, i + 1);
            ids[i] = vocabulary.getOrDefault(i == n - 1 ? letter + END : letter, unknown);
            next[i] = i + 1;
            previous[i] = i - 1;
        }
        merge(ids, next, previous);
        for (int i = 0; i < n; i = next[i]) {
            out.accept(ids[i]);
        }
    }

    /** Joins the pair of the lowest rank, the leftmost first, until none is left; a symbol that went into its left neighbour gets id -1. */
    private void merge(int[] ids, int[] next, int[] previous) {
        var queue = new PriorityQueue<Long>();                           // rank in the high half, position in the low half
        for (int i = 0; i < ids.length; i++) {
            offer(queue, ids, next, i);
        }
        while (!queue.isEmpty()) {
            long top = queue.poll();
            int at = (int) top;
            int join = merged[(int) (top >> 32)];
            int rank = rank(ids, next, at);
            if (rank < 0 || merged[rank] != join) {
                continue;                                                // a neighbour was joined meanwhile
            }
            ids[at] = join;
            ids[next[at]] = -1;
            next[at] = next[next[at]];
            if (next[at] < ids.length) {
                previous[next[at]] = at;
            }
            offer(queue, ids, next, previous[at]);
            offer(queue, ids, next, at);
        }
    }

    private void offer(PriorityQueue<Long> queue, int[] ids, int[] next, int at) {
        int rank = rank(ids, next, at);
        if (rank >= 0) {
            queue.add((long) rank << 32 | at);
        }
    }

    /** The merge for the symbol at a position and its right neighbour, -1 if there is none. */
    private int rank(int[] ids, int[] next, int at) {
        if (at < 0 || ids[at] < 0 || next[at] >= ids.length) {
            return -1;
        }
        return ranks.getOrDefault(pair(ids[at], ids[next[at]]), -1);
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    private int id(String token, Merge merge, int rank, String source) {
        Integer id = vocabulary.get(token);
        if (id == null) {
            throw new IllegalArgumentException("%s: merge %d \"%s %s\" needs the token \"%s\", which the vocabulary does not have"
                    .formatted(source, rank + 1, merge.left(), merge.right(), token));
        }
        return id;
    }

    private static void checkIds(Map<String, Integer> vocabulary, String source) {
        int n = vocabulary.size();
        var tokens = new String[n];
        vocabulary.forEach((token, id) -> {
            if (id < 0 || id >= n) {
                throw new IllegalArgumentException("%s: the id of \"%s\" is %d, but %d tokens must have the ids 0 to %d"
                        .formatted(source, token, id, n, n - 1));
            }
            if (tokens[id] != null) {
                String both = String.join("\" and \"", sorted(token, tokens[id]));
                throw new IllegalArgumentException("%s: \"%s\" have the same id %d; each token needs its own".formatted(source, both, id));
            }
            tokens[id] = token;
        });
    }

    private static String[] sorted(String... tokens) {
        Arrays.sort(tokens);
        return tokens;
    }
}
