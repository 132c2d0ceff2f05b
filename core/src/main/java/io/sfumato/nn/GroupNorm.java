package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/** Normalises (B, C, ...) over each of {@code groups} groups of channels (Wu and He 2018), then scales and shifts each channel. */
public final class GroupNorm {
    private final Tensor weight;
    private final Tensor bias;
    private final long groups;
    private final double eps;

    public GroupNorm(Weights w, long groups, long channels, double eps) {
        if (groups < 1 || channels % groups != 0) {
            throw new IllegalArgumentException("norm_num_groups " + groups + " does not divide " + channels + " channels");
        }
        this.weight = w.get("weight", Weights.Init.ONES, channels);
        this.bias = w.get("bias", Weights.Init.ZEROS, channels);
        this.groups = groups;
        this.eps = eps;
    }

    /**
     * The norm for parts of a map whose statistics are known: {@code means} and {@code variances} of each channel over the whole map.
     */
    public UnaryOperator<Tensor> given(double[] means, double[] variances) {
        int inGroup = (int) (means.length / groups);
        double[] groupMeans = new double[means.length], deviations = new double[means.length];
        for (int from = 0; from < means.length; from += inGroup) {
            double mean = Arrays.stream(means, from, from + inGroup).average().orElseThrow();
            double variance = 0;
            for (int c = from; c < from + inGroup; c++) {
                variance += (variances[c] + (means[c] - mean) * (means[c] - mean)) / inGroup;
            }
            Arrays.fill(groupMeans, from, from + inGroup, mean);
            Arrays.fill(deviations, from, from + inGroup, Math.sqrt(variance + eps));
        }
        Tensor scale = weight.to(DType.F64).div(Tensor.of(deviations, deviations.length).to(weight.device()));
        Tensor shift = bias.to(DType.F64).sub(scale.mul(Tensor.of(groupMeans, groupMeans.length).to(weight.device())));
        Tensor a = scale.to(DType.F32).view(1, -1, 1, 1), b = shift.to(DType.F32).view(1, -1, 1, 1);
        return x -> x.to(DType.F32).mul(a).add_(b).to(weight.dtype());
    }

    public Tensor forward(Tensor x) {
        return Functional.groupNorm(x, groups, weight, bias, eps);
    }
}
