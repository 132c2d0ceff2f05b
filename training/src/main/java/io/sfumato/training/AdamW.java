package io.sfumato.training;

import io.sfumato.tensor.FusedAdamW;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) with gradients clipped to a total norm. Its moments are tensors by parameter name, so
 * that a checkpoint can hold them.
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
            // Matrices and kernels decay, vectors (biases, norms) do not.
            move(gradients.byName(), p -> p.dim() > 1, new FusedAdamW(rate, BETA1, BETA2, decay, EPS), step);
            move(gradients.byName(), p -> p.dim() <= 1, new FusedAdamW(rate, BETA1, BETA2, 0, EPS), step);
            gradients.byName().values().forEach(Tensor::zero_);
            return gradients.norm();
        }
    }

    private void move(Map<String, Tensor> gradients, Predicate<Tensor> which, FusedAdamW adamw, long step) {
        List<String> names = gradients.keySet().stream().filter(name -> which.test(parameters.get(name))).toList();
        if (!names.isEmpty()) {
            adamw.step(all(names, parameters), all(names, gradients), all(names, m), all(names, v), step);
        }
    }

    private static List<Tensor> all(List<String> names, Map<String, Tensor> tensors) {
        return names.stream().map(tensors::get).toList();
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
