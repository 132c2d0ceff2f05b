package io.sfumato.training;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The directions in which data spread most, by Jacobi's rotations of the covariance matrix.
 *
 * @param mean     of the data
 * @param axes     of length one, the one of the largest variance first
 * @param variance along each
 */
record PrincipalComponents(double[] mean, double[][] axes, double[] variance) {
    private static final int SWEEPS = 60;
    private static final double ENOUGH = 1e-22;

    /** @param data at least two rows of n numbers */
    static PrincipalComponents of(double[][] data, int count) {
        int n = data[0].length;
        double[] mean = new double[n];
        for (double[] row : data) {
            for (int i = 0; i < n; i++) {
                mean[i] += row[i] / data.length;
            }
        }
        double[][] c = new double[n][n], v = new double[n][n];
        for (double[] row : data) {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    c[i][j] += (row[i] - mean[i]) * (row[j] - mean[j]) / data.length;
                }
            }
        }
        for (int i = 0; i < n; i++) {
            v[i][i] = 1;
        }
        double total = IntStream.range(0, n).mapToDouble(i -> c[i][i]).sum();
        for (int sweep = 0; sweep < SWEEPS && beside(c) > ENOUGH * total * total; sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    rotate(c, v, p, q);
                }
            }
        }
        List<Integer> order = IntStream.range(0, n).boxed().sorted(Comparator.comparingDouble(i -> -c[i][i])).limit(count).toList();
        double[][] axes = order.stream().map(k -> IntStream.range(0, n).mapToDouble(i -> v[i][k]).toArray()).toArray(double[][]::new);
        return new PrincipalComponents(mean, axes, order.stream().mapToDouble(k -> c[k][k]).toArray());
    }

    /** The sum of squares beside the diagonal. */
    private static double beside(double[][] c) {
        double sum = 0;
        for (int i = 0; i < c.length; i++) {
            for (int j = 0; j < i; j++) {
                sum += c[i][j] * c[i][j];
            }
        }
        return sum;
    }

    /** Turns axes p and q so that c[p][q] becomes 0 (Golub and Van Loan, 8.5). */
    private static void rotate(double[][] c, double[][] v, int p, int q) {
        if (c[p][q] == 0) {
            return;
        }
        double theta = (c[q][q] - c[p][p]) / (2 * c[p][q]);
        double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        double cos = 1 / Math.sqrt(t * t + 1), sin = t * cos;
        for (int k = 0; k < c.length; k++) {
            double a = c[k][p], b = c[k][q];
            c[k][p] = cos * a - sin * b;
            c[k][q] = sin * a + cos * b;
        }
        for (int k = 0; k < c.length; k++) {
            double a = c[p][k], b = c[q][k];
            c[p][k] = cos * a - sin * b;
            c[q][k] = sin * a + cos * b;
            double x = v[k][p], y = v[k][q];
            v[k][p] = cos * x - sin * y;
            v[k][q] = sin * x + cos * y;
        }
    }
}
