package io.sfumato.nn;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;

/** A table (entries, width), looked up by id. */
public final class Embedding {
    private final Tensor weight;

    /** @param std standard deviation of a fresh table */
    public Embedding(Weights w, long entries, long width, double std) {
        this.weight = w.get("weight", Weights.Init.normal(std), entries, width);
    }

    /** ids (...) of int64 to (..., width). */
    public Tensor forward(Tensor ids) {
        return Functional.embedding(weight, ids);
    }

    /** The first {@code n} rows: positions 0 to n-1. */
    public Tensor first(long n) {
        return weight.narrow(0, 0, n);
    }
}
