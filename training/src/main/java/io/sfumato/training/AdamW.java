package io.sfumato.training;

import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) with gradients clipped to a total norm. Matrices and kernels decay, vectors (biases,
 * norms) do not. Its moments are tensors by parameter name, so that a checkpoint can hold them.
 */
public final class AdamW implements Optimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.99;
    private static final double EPS = 1e-8;

    private final Map<String, Tensor> parameters;
    private final Map<String, Tensor> m = new LinkedHashMap<>();
    private final Map<String, Tensor> v = new LinkedHashMap<>();
    private final double decay;
    private final double maxNorm;

    /**
     * @param parameters what is trained, by name; they stay the caller's
     * @param decay      weight decay, decoupled from the gradient, times the rate
     * @param maxNorm    what the norm of all gradients together is clipped to
     */
    public AdamW(Map<String, Tensor> parameters, double decay, double maxNorm) {
        this.parameters = parameters;
        this.decay = decay;
        this.maxNorm = maxNorm;
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            parameters.forEach((name, p) -> {
                m.put(name, p.mul(0).retain());
                v.put(name, p.mul(0).retain());
            });
        }
    }

    @Override
    public double step(long step, double rate) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Gradients gradients = Gradients.clipped(parameters, maxNorm);
            double correction1 = 1 - Math.pow(BETA1, step), correction2 = 1 - Math.pow(BETA2, step);
            for (var entry : gradients.byName().entrySet()) {
                try (var inner = new Scope()) {
                    Tensor p = parameters.get(entry.getKey()), g = entry.getValue();
                    if (p.dim() > 1) {
                        p.mul_(1 - rate * decay);
                    }
                    Tensor mean = m.get(entry.getKey()).lerp_(g, 1 - BETA1);
                    Tensor variance = v.get(entry.getKey()).mul_(BETA2).addcmul_(g, g, 1 - BETA2);
                    p.addcdiv_(mean, variance.div(correction2).sqrt().add_(EPS), -rate / correction1);
                    g.zero_();
                }
            }
            return gradients.norm();
        }
    }

    /** First and second moments. */
    @Override
    public Map<String, Map<String, Tensor>> moments() {
        return Map.of("m", m, "v", v);
    }

    @Override
    public void close() {
        m.values().forEach(Tensor::close);
        v.values().forEach(Tensor::close);
    }
}
