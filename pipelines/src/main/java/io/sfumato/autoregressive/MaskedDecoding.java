package io.sfumato.autoregressive;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.function.BiFunction;

/**
 * Draws all tokens of a picture at once and again: each round keeps those that the model is surest of and masks the others (Chang et al.
 * 2022, MaskGIT, 3.2). Random numbers are drawn as diffusers' {@code AmusedScheduler} draws them.
 */
public final class MaskedDecoding {
    /** How the share of masked tokens falls from 1 to 0. */
    public enum Schedule {
        COSINE, LINEAR
    }

    /** Where randomness comes from: indices from weights (n, V) to (n), and uniform numbers of a shape (n, length). */
    public interface Draws {
        Tensor multinomial(Tensor weights);

        Tensor uniform(long... shape);
    }

    /**
     * @param mask    id of a masked token
     * @param rounds  1 or more
     * @param first   the round to begin with, counted from 0
     * @param partial whether the share that stays masked is one of the tokens that are masked at the beginning, and not of all
     * @param hottest temperature of the noise on confidence in round 0
     * @param coldest the same in the last
     */
    public record Plan(int mask, int rounds, int first, boolean partial, Schedule schedule, double hottest, double coldest) {
    }

    /** Tokens (n, length) after round {@code round}, counted from 0; and with nothing masked. */
    public record Round(int round, Tensor tokens, Tensor whole) {
    }

    /** Hears of each round. */
    @FunctionalInterface
    public interface OnRound {
        void accept(Round round);
    }

    private MaskedDecoding() {
    }

    /**
     * @param network tokens (n, length) and the round to guided logits (n, length, V)
     * @param tokens  to begin with, (n, length): masked, but for those that are given
     */
    public static Tensor decode(BiFunction<Tensor, Integer, Tensor> network, Tensor tokens, Plan plan, Draws draws, OnRound onRound) {
        Tensor temperatures = Tensor.linspace(plan.hottest, plan.coldest, plan.rounds);
        float[] parts = parts(tokens, plan);
        for (int i = plan.first; i < plan.rounds; i++) {
            try (var scope = new Scope()) {
                Tensor probabilities = network.apply(tokens, i).to(DType.F32).softmax(-1);                   // (n, length, V)
                Tensor unknown = tokens.eq(plan.mask);
                Tensor drawn = draws.multinomial(probabilities.flatten(0, 1)).view(tokens.shape());
                Tensor whole = unknown.where(drawn, tokens);
                Tensor next = whole;
                if (i < plan.rounds - 1) {
                    Tensor chosen = probabilities.gather(2, whole.unsqueeze(2)).squeeze(2);                  // (n, length)
                    // What was given is beyond doubt.
                    chosen = unknown.where(chosen, Tensor.full(Float.MAX_VALUE, 1, 1));
                    Tensor noise = log(log(draws.uniform(tokens.shape())).neg()).neg();                      // Gumbel
                    Tensor confidence = log(chosen).add(noise.mul(temperatures.select(0, i)));
                    next = masked(whole, confidence, lengths(unknown, i, parts, plan), plan.mask);
                }
                onRound.accept(new Round(i, next, whole));
                tokens = scope.keep(next);
            }
        }
        return tokens;
    }

    private static Tensor log(Tensor x) {
        return x.clamp(1e-20, Double.POSITIVE_INFINITY).log();
    }

    /**
     * Tokens (n, length) of a picture, masked at random as many as the round before the first would leave masked. There is none before
     * round 0, and nothing is masked, as in diffusers.
     */
    public static Tensor noised(Tensor tokens, Plan plan, Draws draws) {
        float share = share(plan.first > 0 ? plan.first - 1 : plan.rounds - 1, plan);
        return draws.uniform(tokens.shape()).lt(share).where(Tensor.full(plan.mask, 1, 1).to(DType.I64), tokens);
    }

    /** The share that stays masked after a round. In float32 step by step: where it is a whole number of tokens, a rounding counts. */
    private static float share(int round, Plan plan) {
        Tensor ratio = Tensor.full(round + 1, 1).div(plan.rounds);
        return (plan.schedule == Schedule.COSINE ? ratio.mul(Math.PI).div(2).cos() : ratio.neg().add(1)).toFloats()[0];
    }

    /** What shares are parts of, for each row: 1 for all tokens. */
    private static float[] parts(Tensor tokens, Plan plan) {
        long[] masked = tokens.eq(plan.mask).to(DType.I64).sum(false, 1).toLongs();
        float[] parts = new float[masked.length];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = plan.partial ? (float) masked[i] / tokens.size(1) : 1;
        }
        return parts;
    }

    /** How many tokens of each row stay masked after a round: at least one, and fewer than were. */
    private static long[] lengths(Tensor unknown, int round, float[] parts, Plan plan) {
        float share = share(round, plan);
        long[] lengths = unknown.to(DType.I64).sum(false, 1).toLongs();
        for (int i = 0; i < lengths.length; i++) {
            long most = (long) Math.floor(parts[i] * share * unknown.size(1));
            lengths[i] = Math.max(1, Math.min(lengths[i] - 1, most));
        }
        return lengths;
    }

    /** Masks the least sure tokens, as many in each row as {@code lengths} says. */
    private static Tensor masked(Tensor whole, Tensor confidence, long[] lengths, int mask) {
        Tensor index = Tensor.of(lengths, lengths.length, 1);
        Tensor cutOff = confidence.sort(1, false)[0].gather(1, index);                                        // (n, 1)
        return confidence.sub(cutOff).lt(0).where(Tensor.full(mask, 1, 1).to(DType.I64), whole);
    }
}
