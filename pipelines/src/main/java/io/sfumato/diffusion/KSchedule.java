package io.sfumato.diffusion;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;

/**
 * The noise schedules of k-diffusion, A1111's web UI and ComfyUI: sigmas that fall from the table's highest, one more than there are
 * steps, the last mostly 0.
 */
enum KSchedule {
    /** Even timesteps to 0: k-diffusion's own. */
    UNIFORM {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            double[] ts = Sigmas.linspace(table.size() - 1, 0, n);
            return closed(n, i -> table.sigma(ts[i]));
        }
    },
    KARRAS {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            return Sigmas.closed(SigmaSchedule.KARRAS.sigmas(table.max(), table.min(), n), 0);
        }
    },
    EXPONENTIAL {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            return Sigmas.closed(SigmaSchedule.EXPONENTIAL.sigmas(table.max(), table.min(), n), 0);
        }
    },
    BETA {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            return Sigmas.closed(SigmaSchedule.BETA.sigmas(table.max(), table.min(), n), 0);
        }
    },
    /** Even timesteps of one step more, without the last. */
    SGM_UNIFORM {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            double[] ts = Sigmas.linspace(table.size() - 1, 0, n + 1);
            return closed(n, i -> table.sigma(ts[i]));
        }
    },
    /** Every so many of the training's, from the last. */
    SIMPLE {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            double stride = (double) table.size() / n;
            return closed(n, i -> table.sigma(table.size() - 1 - (int) (i * stride)));
        }
    },
    /** Every so many of the training's, from the second: may give a step more than is asked for. */
    DDIM_UNIFORM {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            int stride = Math.max(table.size() / n, 1);
            int count = (table.size() - 2) / stride + 1;
            return closed(count, i -> table.sigma(1 + (count - 1 - i) * stride));
        }
    },
    /** Sabour et al. 2024, optimised for Stable Diffusion 1. */
    ALIGN_YOUR_STEPS {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            return logInterpolated(n, 14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029);
        }
    },
    /** The same for Stable Diffusion XL. */
    ALIGN_YOUR_STEPS_SDXL {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            return logInterpolated(n, 14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029);
        }
    },
    /** Of least divergence (Sabour et al. 2024, theorem 3.1): even steps of the arctangent, to the smallest sigma and not to 0. */
    KL_OPTIMAL {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            double high = Math.atan(table.max());
            double low = Math.atan(table.min());
            double[] sigmas = new double[n + 1];
            Arrays.setAll(sigmas, i -> Math.tan((double) i / n * low + (1 - (double) i / n) * high));
            return Sigmas.floats(sigmas);
        }
    },
    /** Whole timesteps, ending one stride above the first: of models distilled to few steps. */
    TURBO {
        @Override
        double[] sigmas(SigmaTable table, int n) {
            double stride = (double) table.size() / n;
            return closed(n, i -> table.sigma(Math.min(Math.max(Math.rint((n - i) * stride - 1), 0), table.size() - 1)));
        }
    };

    abstract double[] sigmas(SigmaTable table, int n);

    static KSchedule named(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    private static double[] closed(int n, IntToDoubleFunction sigma) {
        double[] sigmas = new double[n];
        Arrays.setAll(sigmas, sigma::applyAsDouble);
        return Sigmas.closed(sigmas, 0);
    }

    /** {@code n} points of the line through {@code known} over the logarithm. */
    private static double[] logInterpolated(int n, double... known) {
        double[] places = Sigmas.linspace(0, known.length - 1, n);
        return closed(n, i -> {
            int low = Math.min((int) places[i], known.length - 2);
            double w = places[i] - low;
            return Math.exp((1 - w) * Math.log(known[low]) + w * Math.log(known[low + 1]));
        });
    }
}
