package io.sfumato.training;

import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/** An exponential moving average of parameters: what is sampled from and shipped. Its decay warms up as (1 + step) / (10 + step). */
public final class Ema implements AutoCloseable {
    private final Map<String, Tensor> parameters;
    private final Map<String, Tensor> average = new LinkedHashMap<>();
    private final double decay;

    /** Begins as the parameters are, which stay the caller's. */
    public Ema(Map<String, Tensor> parameters, double decay) {
        this.parameters = parameters;
        this.decay = decay;
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            parameters.forEach((name, p) -> average.put(name, p.detach().clone().retain()));
        }
    }

    /** Takes in what the parameters are after {@code step}, which counts from 0. */
    public void update(long step) {
        double share = 1 - Math.min(decay, (1.0 + step) / (10.0 + step));
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            average.forEach((name, a) -> a.lerp_(parameters.get(name), share));
        }
    }

    Map<String, Tensor> average() {
        return average;
    }

    /** Runs {@code work} while the parameters hold the average, then puts them back. */
    void swapped(Runnable work) {
        swap();
        try {
            work.run();
        } finally {
            swap();
        }
    }

    private void swap() {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            average.forEach((name, a) -> {
                Tensor kept = parameters.get(name).detach().clone();
                parameters.get(name).copy_(a);
                a.copy_(kept);
            });
        }
    }

    @Override
    public void close() {
        average.values().forEach(Tensor::close);
    }
}
