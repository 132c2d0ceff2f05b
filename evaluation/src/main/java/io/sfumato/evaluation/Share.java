package io.sfumato.evaluation;

import java.util.Locale;

/** So many hits out of so many tries. */
public record Share(int hits, int of) {
    /** 0.975 quantile of the standard normal. */
    private static final double Z = 1.959964;

    public Share {
        if (hits < 0 || hits > of) {
            throw new IllegalArgumentException(hits + " hits of " + of + " tries: 0 to " + of + " hits are wanted");
        }
    }

    /** 0 to 1; 0 of 0 is 0. */
    public double value() {
        return of == 0 ? 0 : (double) hits / of;
    }

    /** The lower end of the 95% interval (Wilson 1927). */
    public double low() {
        return of == 0 ? 0 : Math.max(0, centre() - reach());
    }

    /** The upper end of the 95% interval (Wilson 1927). */
    public double high() {
        return of == 0 ? 1 : Math.min(1, centre() + reach());
    }

    private double centre() {
        return (hits + Z * Z / 2) / (of + Z * Z);
    }

    private double reach() {
        return Z / (of + Z * Z) * Math.sqrt((double) hits * (of - hits) / of + Z * Z / 4);
    }

    /** Such as {@code 91.5% (549 of 600; 89.0 to 93.5)}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.1f%% (%d of %d; %.1f to %.1f)", 100 * value(), hits, of, 100 * low(), 100 * high());
    }
}
