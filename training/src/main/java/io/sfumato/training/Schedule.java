package io.sfumato.training;

/** Learning rate: linear warm-up, then half a cosine down to a tenth of the peak. */
public record Schedule(double peak, long warmup, long steps) {
    public Schedule {
        if (!(peak > 0) || warmup < 0 || steps < 1) {
            throw new IllegalArgumentException("learning rate " + peak + ", warmup " + warmup + ", steps " + steps
                    + ": a rate and steps above 0 are wanted");
        }
    }

    /** The rate of a step, counted from 0. */
    public double at(long step) {
        if (step < warmup) {
            return peak * (step + 1) / warmup;
        }
        double progress = Math.min(1, (double) (step - warmup) / Math.max(1, steps - warmup));
        return peak * (0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
}
