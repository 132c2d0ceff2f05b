package io.sfumato.training;

/** Learning rate: linear warm-up to the peak, then what {@code shape} says. */
public record Schedule(double peak, long warmup, long steps, Shape shape) {
    /** What follows the warm-up. */
    public enum Shape {
        /** Half a cosine down to a tenth of the peak. */
        COSINE,
        /** Straight down to a tenth of the peak. */
        LINEAR,
        /** The peak. */
        CONSTANT
    }

    public Schedule {
        if (!(peak > 0) || warmup < 0 || steps < 1) {
            throw new IllegalArgumentException("learning rate " + peak + ", warmup " + warmup + ", steps " + steps
                    + ": a rate and steps above 0 are wanted");
        }
    }

    /** Half a cosine. */
    public Schedule(double peak, long warmup, long steps) {
        this(peak, warmup, steps, Shape.COSINE);
    }

    /** The rate of a step, counted from 0. */
    public double at(long step) {
        if (step < warmup) {
            return peak * (step + 1) / warmup;
        }
        double progress = Math.min(1, (double) (step - warmup) / Math.max(1, steps - warmup));
        return switch (shape) {
            case COSINE -> peak * (0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * progress)));
            case LINEAR -> peak * (0.1 + 0.9 * (1 - progress));
            case CONSTANT -> peak;
        };
    }
}
