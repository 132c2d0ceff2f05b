package io.sfumato.training;

import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** What trains a tokenizer of pictures besides the error of each pixel: functions of tensors that gradients flow through. */
public final class CodebookLoss {
    private CodebookLoss() {
    }

    /** {@code quantized} forward; backward, the gradient goes to {@code z} as if nothing had been rounded (van den Oord et al. 2017,
            3.2). */
    public static Tensor straightThrough(Tensor z, Tensor quantized) {
        return z.add(quantized.sub(z).detach());
    }

    /** Pulls entries to the latents they stand for, and, {@code beta} times as hard, latents to their entries. */
    public static Tensor codebook(Tensor z, Tensor quantized, double beta) {
        return quantized.sub(z.detach()).square().mean().add(z.sub(quantized.detach()).square().mean().mul(beta));
    }

    /** What the discriminator minimises, by its logits of real and of drawn pictures: the hinge (Lim and Ye 2017). */
    public static Tensor hinge(Tensor real, Tensor drawn) {
        return real.neg().add(1).relu().mean().add(drawn.add(1).relu().mean()).mul(0.5);
    }

    /** The same by the non-saturating loss (Goodfellow et al. 2014), -log sigmoid(real) - log(1 - sigmoid(drawn)). */
    public static Tensor nonSaturating(Tensor real, Tensor drawn) {
        return softplus(real.neg()).mean().add(softplus(drawn).mean()).mul(0.5);
    }

    // log(1 + e^x) without overflow.
    private static Tensor softplus(Tensor x) {
        return x.relu().add(x.abs().neg().exp().add(1).log());
    }

    /**
     * How much the adversary's gradient has to count so that it is as strong as that of the error, at most 1e4 (Esser et al. 2021, equation
     * 7). Both are taken at the picture, a constant time before the last layer of the paper.
     */
    public static double adaptiveWeight(Tensor ofError, Tensor ofAdversary) {
        return Math.min(1e4, ofError.norm().item() / (ofAdversary.norm().item() + 1e-4));
    }

    /** Discrete VAE: samples of the relaxed one-hot distribution over dimension 1, (B, codes, h, w); {@code noise} is uniform in [0, 1). */
    public static Tensor gumbelSoftmax(Tensor logits, Tensor noise, double temperature) {
        Tensor gumbel = noise.clamp(1e-20, 1).log().neg().clamp(1e-20, Double.POSITIVE_INFINITY).log().neg();
        return logits.add(gumbel).div(temperature).softmax(1);
    }

    /** KL divergence from the uniform distribution over codes, summed over places and averaged over pictures. */
    public static Tensor divergenceFromUniform(Tensor logits) {
        Tensor log = logits.logSoftmax(1);
        return log.exp().mul(log.add(Math.log(logits.size(1)))).sum().div(logits.size(0));
    }

    /** Minus the log density of mapped pictures (B, 3, H, W) under mean and log scale (B, 6, H, W), averaged (Ramesh et al. 2021, A.3). */
    public static Tensor logitLaplace(Tensor stats, Tensor mapped) {
        Tensor mean = stats.narrow(1, 0, 3), logScale = stats.narrow(1, 3, 3);
        Tensor logit = mapped.log().sub(mapped.neg().add(1).log());
        Tensor jacobian = mapped.log().add(mapped.neg().add(1).log());
        return logit.sub(mean).abs().mul(logScale.neg().exp()).add(logScale).add(jacobian).add(Math.log(2)).mean();
    }

    /** The next code of each place, codes (B, N) of int64 and logits (B, N, V): cross-entropy averaged over all places. */
    public static Tensor nextToken(Tensor logits, Tensor codes) {
        return Functional.crossEntropy(logits.flatten(0, 1), codes.flatten(0, 1));
    }
}
