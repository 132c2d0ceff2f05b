package io.sfumato.training;

import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Adafactor (Shazeer and Stern 2018, algorithm 4) as Parti was trained (Yu et al. 2022, 3): second moments of a matrix as the outer product
 * of row and column means, updates clipped to a root mean square of one, first moments kept, weight decay decoupled from the gradient.
 */
public final class Adafactor implements Optimizer {
    private static final double BETA1 = 0.9;
    private static final double PARTI_BETA2 = 0.96;
    private static final double EPS = 1e-30;

    private final Map<String, Tensor> parameters;
    private final Map<String, Tensor> m = new LinkedHashMap<>();
    private final Map<String, Tensor> rows = new LinkedHashMap<>();
    private final Map<String, Tensor> columns = new LinkedHashMap<>();
    private final double beta2;
    private final double decay;
    private final double maxNorm;

    /** As Parti was trained: second moments decay by 0.96 at most. */
    public Adafactor(Map<String, Tensor> parameters, double decay, double maxNorm) {
        this(parameters, PARTI_BETA2, decay, maxNorm);
    }

    /**
     * @param parameters what is trained, by name; they stay the caller's
     * @param beta2      what the decay of second moments, 1 - step^-0.8, grows up to
     * @param decay      weight decay of matrices, times the rate
     * @param maxNorm    what the norm of all gradients together is clipped to
     */
    public Adafactor(Map<String, Tensor> parameters, double beta2, double decay, double maxNorm) {
        this.parameters = parameters;
        this.beta2 = beta2;
        this.decay = decay;
        this.maxNorm = maxNorm;
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            parameters.forEach((name, p) -> {
                m.put(name, p.mul(0).retain());
                rows.put(name, isFactored(p) ? p.mean(true, -1).mul(0).retain() : p.mul(0).retain());
                columns.put(name, isFactored(p) ? p.mean(true, -2).mul(0).retain() : Tensor.zeros().retain());
            });
        }
    }

    // A vector has no rows: its second moments are kept as they are.
    private static boolean isFactored(Tensor p) {
        return p.dim() > 1;
    }

    @Override
    public double step(long step, double rate) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Gradients gradients = Gradients.clipped(parameters, maxNorm);
            double keep = Math.min(beta2, 1 - Math.pow(step, -0.8));
            gradients.byName().forEach((name, g) -> {
                try (var inner = new Scope()) {
                    update(name, g, rate, keep);
                    g.zero_();
                }
            });
            return gradients.norm();
        }
    }

    private void update(String name, Tensor g, double rate, double keep) {
        Tensor p = parameters.get(name), squares = g.square().add_(EPS), row = rows.get(name);
        Tensor update;
        if (isFactored(p)) {
            Tensor column = columns.get(name);
            row.lerp_(squares.mean(true, -1), 1 - keep);
            column.lerp_(squares.mean(true, -2), 1 - keep);
            update = g.div(row.div(row.mean(true, -2)).sqrt()).div(column.sqrt());
            p.mul_(1 - rate * decay);
        } else {
            update = g.div(row.lerp_(squares, 1 - keep).sqrt());
        }
        update = update.div(Math.max(1, update.square().mean().sqrt().item())).mul_(rate);
        p.add_(m.get(name).lerp_(update, 1 - BETA1), -1);
    }

    /** First moments, and second ones by rows and columns. */
    @Override
    public Map<String, Map<String, Tensor>> moments() {
        return Map.of("m", m, "rows", rows, "columns", columns);
    }

    @Override
    public void close() {
        moments().values().forEach(group -> group.values().forEach(Tensor::close));
    }
}
