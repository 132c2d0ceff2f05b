package io.sfumato.training;

import io.sfumato.tensor.Tensor;
import java.util.Map;

/** Moves parameters down their gradients. */
interface Optimizer extends AutoCloseable {
    /**
     * Applies the gradients that the backward pass left, and clears them.
     *
     * @param step counts from 1
     * @return the norm of all gradients before clipping
     */
    double step(long step, double rate);

    /** What it remembers of each parameter, by kind and name, to be saved and restored. */
    Map<String, Map<String, Tensor>> moments();

    @Override
    void close();
}
