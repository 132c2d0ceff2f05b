package io.sfumato.autoregressive;

import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/**
 * How well pictures come back from their codes, and how many codes that takes.
 *
 * @param psnr       peak signal to noise, in dB
 * @param ssim       structural similarity (Wang et al. 2004), 1 for the same
 * @param distinct   codes of the book that occur
 * @param perplexity of the codes: how many equally frequent ones would be as varied
 */
public record Reconstruction(double psnr, double ssim, int distinct, double perplexity) {
    private static final int WINDOW = 11;
    private static final double SIGMA = 1.5;

    /** Pictures (B, 3, H, W) in [0, 1], what came back, and the codes between. */
    public static Reconstruction of(Tensor pictures, Tensor again, Tensor codes) {
        long[] counts = new long[1 + (int) Arrays.stream(codes.toLongs()).max().orElse(0)];
        Arrays.stream(codes.toLongs()).forEach(code -> counts[(int) code]++);
        double entropy = Arrays.stream(counts).filter(n -> n > 0).mapToDouble(n -> (double) n / codes.numel())
                .map(p -> -p * Math.log(p)).sum();
        return new Reconstruction(psnr(pictures, again), ssim(pictures, again), (int) Arrays.stream(counts).filter(n -> n > 0).count(),
                Math.exp(entropy));
    }

    public static double psnr(Tensor a, Tensor b) {
        try (var scope = new Scope()) {
            return -10 * Math.log10(a.sub(b).square().mean().item());
        }
    }

    /** With a Gaussian window of 11 pixels, inside of the picture; sides of 11 pixels or more. */
    public static double ssim(Tensor a, Tensor b) {
        try (var scope = new Scope()) {
            Tensor window = window((int) a.size(1)), none = Tensor.zeros(a.size(1));
            Tensor[] means = new Tensor[5];
            Tensor[] of = {a, b, a.square(), b.square(), a.mul(b)};
            Arrays.setAll(means, i -> Functional.depthwiseConv2d(of[i], window, none, 0));
            Tensor product = means[0].mul(means[1]), squares = means[0].square().add(means[1].square());
            Tensor covariance = means[4].sub(product), variances = means[2].add(means[3]).sub(squares);
            double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
            Tensor above = product.mul(2).add(c1).mul(covariance.mul(2).add(c2));
            return above.div(squares.add(c1).mul(variances.add(c2))).mean().item();
        }
    }

    private static Tensor window(int channels) {
        float[] w = new float[WINDOW * WINDOW];
        double sum = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < w.length; i++) {
                double y = i / WINDOW - WINDOW / 2, x = i % WINDOW - WINDOW / 2;
                double g = Math.exp(-(x * x + y * y) / (2 * SIGMA * SIGMA));
                w[i] = (float) (pass == 0 ? g : g / sum);
                sum += pass == 0 ? g : 0;
            }
        }
        return Tensor.of(w, 1, 1, WINDOW, WINDOW).repeat(channels, 1, 1, 1);
    }
}
