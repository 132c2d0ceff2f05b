package io.sfumato.models.tokenizer;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/** The entries that vectors are replaced by (van den Oord et al. 2017, 3.1). */
public final class Codebook {
    private final Tensor weight;
    private final boolean normalised;

    /** @param normalised whether entries, and the vectors they are compared with, are of length one (Yu et al. 2022, 3.2) */
    public Codebook(Weights w, int codes, int width, boolean normalised) {
        this.weight = w.get("weight", (rng, shape) -> rng.uniform(-1.0 / codes, 1.0 / codes, shape), codes, width);
        this.normalised = normalised;
    }

    /** Ids (...) of the entries nearest to {@code z} (..., width). */
    public Tensor nearest(Tensor z) {
        Tensor e = entries();                                                                           // (codes, width)
        Tensor rows = unit(z).reshape(-1, e.size(1));                                                   // (N, width)
        Tensor squares = rows.square().sum(true, 1).add(e.square().sum(false, 1));                      // (N, codes)
        Tensor ids = squares.sub(rows.matmul(e.transpose(0, 1)).mul(2)).neg().argmax(1);                // (N)
        long[] shape = z.shape();
        return ids.view(Arrays.copyOf(shape, shape.length - 1));
    }

    /** The entries (..., width) of ids (...). */
    public Tensor forward(Tensor ids) {
        return Functional.embedding(entries(), ids);
    }

    /** All entries (codes, width), as they are used. */
    public Tensor entries() {
        return unit(weight);
    }

    /** {@code z} (..., width) as it is compared with the entries. */
    public Tensor unit(Tensor z) {
        return normalised ? z.div(z.square().sum(true, -1).sqrt().clamp(1e-12, Double.POSITIVE_INFINITY)) : z;
    }
}
