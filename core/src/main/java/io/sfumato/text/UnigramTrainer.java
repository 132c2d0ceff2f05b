package io.sfumato.text;

import io.sfumato.text.SentencePieceModel.Piece;
import io.sfumato.text.SentencePieceModel.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Learns a SentencePiece model from captions (Kudo 2018, "Subword Regularization", 3.2): of all strings that occur twice within words,
 * those without which the captions would lose the most likelihood stay, until there are {@code pieces} or fewer. Probabilities are found
 * by expectation and maximization over all cuts of the words. Letters A to Z are read as small ones. The same captions, in any order, give
 * the same file. {@code pieces} counts the unknown piece and SentencePiece's two marks for begin and end.
 */
public record UnigramTrainer(int pieces) {
    private static final List<Piece> FIXED = List.of(new Piece("<unk>", 0, Type.UNKNOWN), new Piece("<s>", 0, Type.CONTROL),
            new Piece("</s>", 0, Type.CONTROL));
    private static final int LONGEST = 16;
    private static final int ROUNDS = 2;
    /** A piece that is expected less often than this goes, unless it is a character; that is taken to occur so often. */
    private static final double RARE = 0.5;
    private static final double KEPT = 0.75;

    public UnigramTrainer {
        if (pieces <= FIXED.size()) {
            throw new IllegalArgumentException("a vocabulary of %d pieces is too small; %d are fixed".formatted(pieces, FIXED.size()));
        }
    }

    /**
     * Learns from the captions and writes the model, {@code spiece.model} for example.
     *
     * @throws IllegalArgumentException if the captions have more characters than there are to be pieces
     */
    public void train(Stream<String> captions, Path file) {
        Map<String, Long> words = words(captions);
        int room = pieces - FIXED.size();
        long characters = words.keySet().stream().flatMapToInt(String::codePoints).distinct().count();
        if (characters > room) {
            throw new IllegalArgumentException(("a vocabulary of %d pieces is too small; the captions have %d characters, and %d pieces "
                    + "are fixed").formatted(pieces, characters, FIXED.size()));
        }
        Map<String, Double> scores = improved(words, seeds(words));
        while (scores.size() > room) {
            scores = improved(words, pruned(words, scores, Math.max(room, (int) (scores.size() * KEPT))));
        }
        List<Piece> learnt = new ArrayList<>(FIXED);
        scores.entrySet().stream().sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                .forEach(e -> learnt.add(new Piece(e.getKey(), e.getValue().floatValue(), Type.NORMAL)));
        model(learnt).write(file);
    }

    private static SentencePieceModel model(List<Piece> pieces) {
        return new SentencePieceModel("what is being learnt", pieces, CharsMap.smallLetters(), true, true, true, false, false, " \u2047 ");
    }

    /** The words as the finished model will see them, each with its mark of a space, and how often they occur. */
    private static Map<String, Long> words(Stream<String> captions) {
        SentencePiece rules = new SentencePiece(model(FIXED));
        Map<String, Long> words = new TreeMap<>();
        captions.flatMap(caption -> Arrays.stream(rules.normalize(caption).split("(?=" + SentencePiece.SPACE + ")")))
                .filter(Predicate.not(String::isEmpty)).forEach(word -> words.merge(word, 1L, Long::sum));
        return words;
    }

    /** What occurs twice, and every character: as probable as it covers text. */
    private static Map<String, Double> seeds(Map<String, Long> words) {
        Map<String, Double> covered = new TreeMap<>();
        words.forEach((word, times) -> spans(word).forEach(s -> covered.merge(s.piece, (double) times * (s.to - s.from), Double::sum)));
        covered.entrySet().removeIf(e -> e.getValue() < 2 * e.getKey().length() && !isCharacter(e.getKey()));
        return logarithms(covered);
    }

    private static boolean isCharacter(String piece) {
        return piece.codePointCount(0, piece.length()) == 1;
    }

    private static Map<String, Double> logarithms(Map<String, Double> counts) {
        double sum = counts.values().stream().mapToDouble(Double::doubleValue).sum();
        Map<String, Double> scores = new TreeMap<>();
        counts.forEach((piece, count) -> scores.put(piece, StrictMath.log(count / sum)));
        return scores;
    }

    private static Map<String, Double> improved(Map<String, Long> words, Map<String, Double> scores) {
        for (int i = 0; i < ROUNDS; i++) {
            Map<String, Double> counts = new TreeMap<>(expected(words, scores));
            scores.keySet().stream().filter(UnigramTrainer::isCharacter).forEach(c -> counts.merge(c, RARE, Math::max));
            counts.values().removeIf(count -> count < RARE);
            scores = logarithms(counts);
        }
        return scores;
    }

    /** A string at its place in a word. */
    private record Span(int from, int to, String piece) { }

    /** All that begins and ends between characters, from the beginning of the word on. */
    private static List<Span> spans(String word) {
        List<Span> spans = new ArrayList<>();
        for (int from = 0; from < word.length(); from++) {
            for (int to = from + 1; to <= Math.min(word.length(), from + LONGEST); to++) {
                if (!splits(word, from) && !splits(word, to)) {
                    spans.add(new Span(from, to, word.substring(from, to)));
                }
            }
        }
        return spans;
    }

    private static boolean splits(String word, int at) {
        return at < word.length() && Character.isLowSurrogate(word.charAt(at));
    }

    /** Those that are pieces. */
    private static List<Span> spans(String word, Map<String, Double> scores) {
        return spans(word).stream().filter(s -> scores.containsKey(s.piece)).toList();
    }

    /** How often each piece is expected: cuts of a word weigh as they are probable. */
    private static Map<String, Double> expected(Map<String, Long> words, Map<String, Double> scores) {
        Map<String, Double> counts = new HashMap<>();
        words.forEach((word, times) -> {
            List<Span> spans = spans(word, scores);
            int n = word.length();
            double[] before = impossible(n), after = impossible(n);
            before[0] = 0;
            spans.forEach(s -> before[s.to] = added(before[s.to], before[s.from] + scores.get(s.piece)));
            after[n] = 0;
            for (int i = spans.size() - 1; i >= 0; i--) {
                Span s = spans.get(i);
                after[s.from] = added(after[s.from], after[s.to] + scores.get(s.piece));
            }
            spans.forEach(s -> counts.merge(s.piece,
                    times * StrictMath.exp(before[s.from] + scores.get(s.piece) + after[s.to] - before[n]), Double::sum));
        });
        return counts;
    }

    private static double[] impossible(int n) {
        double[] logarithms = new double[n + 1];
        Arrays.fill(logarithms, Double.NEGATIVE_INFINITY);
        return logarithms;
    }

    /** The logarithm of the sum of two numbers that are given by theirs. */
    private static double added(double a, double b) {
        double more = Math.max(a, b);
        return more == Double.NEGATIVE_INFINITY ? more : more + StrictMath.log1p(StrictMath.exp(Math.min(a, b) - more));
    }

    /** The characters, and of all others, up to {@code size}, those that lose the most where the next best cut must do instead. */
    private static Map<String, Double> pruned(Map<String, Long> words, Map<String, Double> scores, int size) {
        Map<String, Double> counts = expected(words, scores), losses = new HashMap<>();
        scores.forEach((piece, score) -> losses.put(piece, isCharacter(piece) ? Double.POSITIVE_INFINITY
                : counts.getOrDefault(piece, 0.0) * (score - withoutItself(piece, scores))));
        Map<String, Double> kept = new TreeMap<>();
        scores.keySet().stream().sorted(Comparator.comparing(losses::get, Comparator.reverseOrder())).limit(size)
                .forEach(piece -> kept.put(piece, scores.get(piece)));
        return kept;
    }

    /** The best sum of scores of shorter pieces. */
    private static double withoutItself(String piece, Map<String, Double> scores) {
        double[] best = impossible(piece.length());
        best[0] = 0;
        spans(piece, scores).stream().filter(s -> !s.piece.equals(piece))
                .forEach(s -> best[s.to] = Math.max(best[s.to], best[s.from] + scores.get(s.piece)));
        return best[piece.length()];
    }
}
