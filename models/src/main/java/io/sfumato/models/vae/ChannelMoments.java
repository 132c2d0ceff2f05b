package io.sfumato.models.vae;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;

/** Mean and variance of each channel over a map that comes in strips (Chan, Golub and LeVeque 1983, formula 2.1). */
final class ChannelMoments {
    private final double[] means;
    private final double[] squares;
    private double count;

    ChannelMoments(int channels) {
        means = new double[channels];
        squares = new double[channels];
    }

    /** Takes the strip (1, C, h, W) in. */
    void add(Tensor strip) {
        Tensor x = strip.to(DType.F32);
        Tensor mean = x.mean(true, 2, 3);                                                   // (1, C, 1, 1)
        double[] stripMeans = mean.toDoubles();
        double[] stripSquares = x.sub(mean).square().sum(true, 2, 3).toDoubles();
        double n = strip.size(2) * strip.size(3), total = count + n;
        for (int c = 0; c < means.length; c++) {
            double step = stripMeans[c] - means[c];
            means[c] += step * n / total;
            squares[c] += stripSquares[c] + step * step * count * n / total;
        }
        count = total;
    }

    double[] means() {
        return means;
    }

    double[] variances() {
        double[] variances = new double[squares.length];
        for (int c = 0; c < variances.length; c++) {
            variances[c] = squares[c] / count;
        }
        return variances;
    }
}
