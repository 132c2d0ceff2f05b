package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;

/** Keeps a predicted picture x0 (B, ...) in the range of real ones. */
@FunctionalInterface
public interface Clipping {
    Clipping NONE = x0 -> x0;

    Tensor apply(Tensor x0);

    /** Whether it does anything. */
    default boolean clips() {
        return this != NONE;
    }

    static Clipping none() {
        return NONE;
    }

    static Clipping range(double limit) {
        return x0 -> x0.clamp(-limit, limit);
    }

    /**
     * Dynamic thresholding (Saharia et al. 2022, section 2.3): each picture is cut at the {@code ratio} quantile of its absolute
     * values, kept between 1 and {@code max}, and divided by it.
     */
    static Clipping dynamic(double ratio, double max) {
        return x0 -> {
            Tensor rows = x0.flatten(1, -1);
            Tensor s = rows.abs().quantile(ratio, 1, true).clamp(1, max);            // (B, 1)
            return rows.max(s.neg()).min(s).div(s).reshape(x0.shape());
        };
    }
}
