package io.sfumato.training;

import io.sfumato.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the backward pass left in parameters.
 *
 * @param norm of all together, before they were clipped
 */
record Gradients(Map<String, Tensor> byName, double norm) {
    /** Scales the gradients so that their norm is {@code most} at most; parameters without one are left out. */
    static Gradients clipped(Map<String, Tensor> parameters, double most) {
        Map<String, Tensor> gradients = new LinkedHashMap<>();
        parameters.forEach((name, p) -> {
            if (p.hasGrad()) {
                gradients.put(name, p.grad());
            }
        });
        double norm = Tensor.stack(0, gradients.values().stream().map(Tensor::norm).toArray(Tensor[]::new)).norm().item();
        if (norm > most) {
            gradients.values().forEach(g -> g.mul_(most / (norm + 1e-6)));
        }
        return new Gradients(gradients, norm);
    }
}
