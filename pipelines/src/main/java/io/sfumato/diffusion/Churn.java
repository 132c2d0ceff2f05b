package io.sfumato.diffusion;

/**
 * Noise put in before a step (Karras et al. 2022, algorithm 2): {@code amount} is S_churn, spent on the sigmas between {@code min} and
 * {@code max}, of the standard deviation {@code noise}.
 */
public record Churn(double amount, double min, double max, double noise) {
    private static final double MOST = Math.sqrt(2) - 1;

    public Churn {
        if (!(amount >= 0 && min >= 0 && max >= min && noise > 0)) {
            throw new IllegalArgumentException("s_churn " + amount + ", s_tmin " + min + ", s_tmax " + max + ", s_noise " + noise
                    + ": s_churn and s_tmin of 0 or more, s_tmax not below s_tmin, and s_noise above 0 are wanted");
        }
    }

    public static Churn none() {
        return new Churn(0, 0, Double.POSITIVE_INFINITY, 1);
    }

    /** The paper's gamma at {@code sigma}, in a run of {@code steps}. */
    double gamma(double sigma, int steps) {
        return sigma >= min && sigma <= max ? Math.min(amount / steps, MOST) : 0;
    }
}
