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
     * @param hottest temperature of the noise on confidence in the first round
     * @param coldest the same in the last
     */
    public record Plan(int mask, int rounds, Schedule schedule, double hottest, double coldest) {
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
        for (int i = 0; i < plan.rounds; i++) {
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
                    next = masked(whole, confidence, lengths(unknown, i, plan), plan.mask);
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

    /** How many tokens of each row stay masked after a round: at least one, and fewer than were. */
    private static long[] lengths(Tensor unknown, int round, Plan plan) {
        // Float32 step by step: where the share of tokens is a whole number, a rounding counts.
        Tensor ratio = Tensor.full(round + 1, 1).div(plan.rounds);
        Tensor share = plan.schedule == Schedule.COSINE ? ratio.mul(Math.PI).div(2).cos() : ratio.neg().add(1);
        long most = (long) Math.floor(share.mul(unknown.size(1)).toFloats()[0]);
        long[] lengths = unknown.to(DType.I64).sum(false, 1).toLongs();
        for (int i = 0; i < lengths.length; i++) {
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
