package io.sfumato.diffusion;

import java.util.Arrays;
import org.apache.commons.statistics.distribution.BetaDistribution;

/** Ways to spread sigmas between the highest and the lowest. NORMAL leaves them where the timesteps put them. */
enum SigmaSchedule {
    NORMAL(""), KARRAS("use_karras_sigmas"), EXPONENTIAL("use_exponential_sigmas"), BETA("use_beta_sigmas"), LU("use_lu_lambdas");

    private static final double RHO = 7;
    private static final BetaDistribution DISTRIBUTION = BetaDistribution.of(0.6, 0.6);

    private final String key;

    SigmaSchedule(String key) {
        this.key = key;
    }

    /** The key of a config that turns it on. */
    String key() {
        return key;
    }

    /** {@code n} falling sigmas. */
    double[] sigmas(double max, double min, int n) {
        return switch (this) {
            case NORMAL -> throw new IllegalStateException("the normal schedule comes from timesteps");
            case KARRAS -> karras(max, min, n);
            case EXPONENTIAL -> exponentials(Math.log(max), Math.log(min), n);
            case BETA -> beta(max, min, n);
            case LU -> exponentials(Sigmas.log((float) max), Sigmas.log((float) min), n);
        };
    }

    /** Karras et al. 2022, formula 5. */
    private static double[] karras(double max, double min, int n) {
        return Arrays.stream(Sigmas.linspace(0, 1, n)).map(ramp -> karras(max, min, RHO, ramp)).toArray();
    }

    /** The sigma at {@code ramp} in [0, 1], which goes down. */
    static double karras(double max, double min, double rho, double ramp) {
        double high = Math.pow(max, 1 / rho);
        return Math.pow(high + ramp * (Math.pow(min, 1 / rho) - high), rho);
    }

    /** Even steps of the logarithm: Lu et al. 2022 where it is taken in float32. */
    private static double[] exponentials(double high, double low, int n) {
        return Arrays.stream(Sigmas.linspace(high, low, n)).map(Math::exp).toArray();
    }

    /** Quantiles of a beta distribution: close at both ends (Lee et al. 2024). */
    private static double[] beta(double max, double min, int n) {
        return Arrays.stream(Sigmas.linspace(0, 1, n)).map(ramp -> min + quantile(1 - ramp) * (max - min)).toArray();
    }

    private static double quantile(double p) {
        if (p == 0 || p == 1) {
            return p;
        }
        double x = DISTRIBUTION.inverseCumulativeProbability(p);
        // The library stops at 1e-9: Newton's method takes it to the last digits.
        for (int k = 0; k < 3; k++) {
            x -= (DISTRIBUTION.cumulativeProbability(x) - p) / DISTRIBUTION.density(x);
        }
        return x;
    }
}
