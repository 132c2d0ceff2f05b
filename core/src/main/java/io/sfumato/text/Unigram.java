package io.sfumato.text;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The unigram language model (Kudo 2018, "Subword Regularization", 3.2): a text is cut into the pieces whose log-probabilities have the
 * largest sum. Neighbouring characters that no piece spells become one unknown token.
 */
final class Unigram {
    private static final double UNKNOWN_PENALTY = 10;

    /** In what numbers scores are summed: at a tie the rounding decides, and SentencePiece sums floats, tokenizers doubles. */
    enum Sum {
        FLOAT, DOUBLE;

        double add(double a, double b) {
            return this == FLOAT ? (float) a + (float) b : a + b;
        }
    }

    /** A spelling with its id and log-probability. */
    record Piece(String spelling, int id, double score) { }

    /** Hears the tokens in order, each with its place in the text. */
    interface Tokens {
        void token(int id, int start, int end);
    }

    private final Map<Long, Integer> children = new HashMap<>();         // (node, character) to node: a trie of the spellings
    private final Map<Integer, Piece> ends = new HashMap<>();            // the piece that ends at a node
    private final int unknown;
    private final double unknownScore;
    private final Sum sum;

    /** @param least the smallest score of a piece: an unknown character's lies below it */
    Unigram(List<Piece> pieces, int unknown, double least, Sum sum) {
        this.unknown = unknown;
        this.unknownScore = sum.add(least, -UNKNOWN_PENALTY);
        this.sum = sum;
        for (Piece piece : pieces) {
            int node = 0;
            for (char c : piece.spelling().toCharArray()) {
                int next = children.size() + 1;
                node = children.computeIfAbsent((long) node << 16 | c, key -> next);
            }
            if (node > 0) {
                ends.put(node, piece);
            }
        }
    }

    void encode(String text, Tokens tokens) {
        int n = text.length();
        double[] best = new double[n + 1];
        int[] start = new int[n + 1], id = new int[n + 1];
        Arrays.fill(start, -1);
        for (int at = 0; at < n; at += Character.charCount(text.codePointAt(at))) {
            int single = at + Character.charCount(text.codePointAt(at));
            boolean known = false;
            int node = 0;
            for (int end = at + 1; end <= n; end++) {
                node = children.getOrDefault((long) node << 16 | text.charAt(end - 1), 0);
                if (node == 0) {
                    break;
                }
                Piece piece = ends.get(node);
                if (piece != null) {
                    extend(best, start, id, at, end, piece.id(), piece.score());
                    known |= end == single;
                }
            }
            if (!known) {
                extend(best, start, id, at, single, unknown, unknownScore);
            }
        }
        emit(start, id, tokens);
    }

    private void extend(double[] best, int[] start, int[] id, int from, int to, int piece, double score) {
        double total = sum.add(best[from], score);
        if (start[to] < 0 || total > best[to]) {
            best[to] = total;
            start[to] = from;
            id[to] = piece;
        }
    }

    /** Walks the best path from its end, then hands it out from its beginning. */
    private void emit(int[] start, int[] id, Tokens tokens) {
        int[] end = new int[start.length];
        for (int at = start.length - 1; at > 0; at = start[at]) {
            end[start[at]] = at;
        }
        for (int at = 0; at < start.length - 1; ) {
            int from = at, token = id[end[at]];
            at = end[at];
            while (token == unknown && at < start.length - 1 && id[end[at]] == unknown) {
                at = end[at];
            }
            tokens.token(token, from, at);
        }
    }
}
