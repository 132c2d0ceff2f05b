package io.sfumato.diffusion;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * A Brownian motion over an interval that is halved until its ends are met (Li et al. 2020; torchsde's BrownianInterval as k-diffusion
 * makes it): the value at each half is drawn from a seed of its place in the tree, so what comes out does not depend on what was asked
 * before. Computed anew from the top each time: some 25 draws, and nothing to keep.
 */
final class BrownianTree implements Brownian {
    private static final int DIGITS = 6;
    private static final int POOL = 24;

    private final long seed;
    private final long[] shape;
    private final double start;
    private final double end;
    private final double width;

    BrownianTree(long seed, long[] shape, float start, float end) {
        this.seed = seed;
        this.shape = shape.clone();
        this.start = rounded(start);
        this.end = rounded(end);
        this.width = (double) end - start;
    }

    private static double rounded(double x) {
        return new BigDecimal(x).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue();
    }

    @Override
    public Tensor next(double sigma, double sigmaNext) {
        try (var scope = new Scope()) {
            double low = rounded(Math.max(Math.min(sigma, sigmaNext), start));
            double high = rounded(Math.min(Math.max(sigma, sigmaNext), end));
            float std = (float) Math.sqrt((float) Math.abs((float) sigmaNext - (float) sigma));
            Tensor top = drawn(new SeedSequence(POOL, seed).state(1)[0]).mul(Math.sqrt(width));
            Tensor increment = low == high ? Tensor.zeros(shape) : increment(new Interval(start, end, 0, 0, top), low, high);
            return scope.keep(increment.mul(sigma < sigmaNext ? 1 : -1).div(std));
        }
    }

    /** A part of the tree: its ends, its place ({@code key}th of its depth) and the motion over it. */
    private record Interval(double start, double end, long key, int depth, Tensor increment) {
    }

    private Tensor increment(Interval whole, double low, double high) {
        if (low == whole.start && high == whole.end) {
            return whole.increment;
        }
        double middle = rounded(0.5 * (whole.end + whole.start));
        if (middle == whole.start || middle == whole.end) {
            throw new IllegalStateException("no place for " + low + " to " + high + " between " + whole.start + " and " + whole.end);
        }
        double h = 1 / (whole.end - whole.start);
        double left = middle - whole.start;
        double right = whole.end - middle;
        Tensor noise = drawn(new SeedSequence(POOL, seed, whole.key, whole.depth).state(1)[0]);
        Tensor leftPart = whole.increment.mul(left).mul(h).add(noise.mul(Math.sqrt(left * right * h)));
        var leftHalf = new Interval(whole.start, middle, 2 * whole.key, whole.depth + 1, leftPart);
        if (high <= middle) {
            return increment(leftHalf, low, high);
        }
        var rightHalf = new Interval(middle, whole.end, 2 * whole.key + 1, whole.depth + 1, whole.increment.sub(leftPart));
        return low >= middle ? increment(rightHalf, low, high)
                : increment(leftHalf, low, middle).add(increment(rightHalf, middle, high));
    }

    private Tensor drawn(long state) {
        try (var rng = new Rng(state)) {
            return rng.randn(shape);
        }
    }
}
