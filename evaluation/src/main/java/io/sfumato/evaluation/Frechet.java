package io.sfumato.evaluation;

import java.util.List;

/**
 * The distance between two sets of features if each were normally distributed (Heusel et al. 2017, equation 6):
 * {@code |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))}.
 */
public final class Frechet {
    private static final int SWEEPS = 60;
    private static final double ENOUGH = 1e-24;

    private Frechet() {
    }

    /** The squared distance, which papers call FID; rows are features of one picture each, at least two of them a set. */
    public static double distance(List<double[]> a, List<double[]> b) {
        if (a.size() < 2 || b.size() < 2 || a.get(0).length != b.get(0).length) {
            throw new IllegalArgumentException("a Frechet distance of " + a.size() + " and " + b.size()
                    + " rows of features: at least 2 each, of one width, are wanted");
        }
        double[] meanA = mean(a), meanB = mean(b);
        double[][] covA = covariance(a, meanA), covB = covariance(b, meanB);
        double distance = trace(covA) + trace(covB);
        for (int i = 0; i < meanA.length; i++) {
            distance += (meanA[i] - meanB[i]) * (meanA[i] - meanB[i]);
        }
        // S1 S2 has the eigenvalues of the symmetric S1^(1/2) S2 S1^(1/2).
        double[][] root = root(covA);
        for (double value : eigen(product(product(root, covB), root)).values()) {
            distance -= 2 * Math.sqrt(Math.max(0, value));
        }
        return distance;
    }

    private static double[] mean(List<double[]> rows) {
        double[] mean = new double[rows.get(0).length];
        for (double[] row : rows) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += row[i] / rows.size();
            }
        }
        return mean;
    }

    private static double[][] covariance(List<double[]> rows, double[] mean) {
        int n = mean.length;
        double[][] covariance = new double[n][n];
        for (double[] row : rows) {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    covariance[i][j] += (row[i] - mean[i]) * (row[j] - mean[j]) / (rows.size() - 1);
                }
            }
        }
        return covariance;
    }

    private static double trace(double[][] x) {
        double trace = 0;
        for (int i = 0; i < x.length; i++) {
            trace += x[i][i];
        }
        return trace;
    }

    private static double[][] product(double[][] x, double[][] y) {
        int n = x.length;
        double[][] product = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < n; k++) {
                for (int j = 0; j < n; j++) {
                    product[i][j] += x[i][k] * y[k][j];
                }
            }
        }
        return product;
    }

    /** The symmetric square root of a covariance. */
    private static double[][] root(double[][] x) {
        Eigen eigen = eigen(x);
        int n = x.length;
        double[][] root = new double[n][n];
        for (int k = 0; k < n; k++) {
            double scale = Math.sqrt(Math.max(0, eigen.values()[k]));
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    root[i][j] += scale * eigen.vectors()[k][i] * eigen.vectors()[k][j];
                }
            }
        }
        return root;
    }

    /** Eigenvalues, and a row of {@code vectors} for each. */
    private record Eigen(double[] values, double[][] vectors) {
    }

    /** Jacobi's method: plane rotations that each clear one entry off the diagonal (Golub and Van Loan, section 8.5). */
    private static Eigen eigen(double[][] symmetric) {
        int n = symmetric.length;
        double[][] a = new double[n][], v = new double[n][n];
        for (int i = 0; i < n; i++) {
            a[i] = symmetric[i].clone();
            v[i][i] = 1;
        }
        double size = squares(a, 0) + 1e-300;
        for (int sweep = 0; sweep < SWEEPS && squares(a, 1) > ENOUGH * size; sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    if (a[p][q] != 0) {
                        double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
                        double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
                        double cos = 1 / Math.sqrt(t * t + 1);
                        rotate(a, v, p, q, cos, t * cos);
                    }
                }
            }
        }
        double[] values = new double[n];
        for (int i = 0; i < n; i++) {
            values[i] = a[i][i];
        }
        return new Eigen(values, v);
    }

    private static void rotate(double[][] a, double[][] v, int p, int q, double cos, double sin) {
        for (int k = 0; k < a.length; k++) {
            double kp = a[k][p], kq = a[k][q];
            a[k][p] = cos * kp - sin * kq;
            a[k][q] = sin * kp + cos * kq;
        }
        for (int k = 0; k < a.length; k++) {
            double pk = a[p][k], qk = a[q][k], vp = v[p][k], vq = v[q][k];
            a[p][k] = cos * pk - sin * qk;
            a[q][k] = sin * pk + cos * qk;
            v[p][k] = cos * vp - sin * vq;
            v[q][k] = sin * vp + cos * vq;
        }
    }

    /** The sum of the squares of the entries at least {@code apart} from the diagonal. */
    private static double squares(double[][] a, int apart) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a.length; j++) {
                sum += Math.abs(i - j) >= apart ? a[i][j] * a[i][j] : 0;
            }
        }
        return sum;
    }
}
