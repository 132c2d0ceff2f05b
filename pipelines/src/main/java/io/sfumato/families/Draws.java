package io.sfumato.families;

import io.sfumato.Options;
import io.sfumato.diffusion.Noise;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.util.stream.IntStream;

/** The generators of one batch, seeded as the options say. */
final class Draws implements AutoCloseable {
    private final Rng[] rngs;
    private final Noise noise;
    private final boolean shared;

    Draws(Options o, int pictures) {
        shared = o.seeds() == Options.Seeds.SHARED;
        rngs = IntStream.range(0, shared ? 1 : pictures).mapToObj(i -> new Rng(o.seed() + i)).toArray(Rng[]::new);
        noise = shared ? Noise.shared(rngs[0]) : Noise.each(rngs);
    }

    /** Whether one generator draws for the whole batch. */
    boolean shared() {
        return shared;
    }

    Noise noise() {
        return noise;
    }

    /** Draws one index from each row of weights (n, V): a row from its picture's generator, or all in order from the shared one. */
    Tensor multinomial(Tensor weights) {
        if (shared) {
            return rngs[0].multinomial(weights, 1, false).squeeze(1);
        }
        Tensor[] picks = new Tensor[rngs.length];
        for (int i = 0; i < picks.length; i++) {
            picks[i] = rngs[i].multinomial(weights.narrow(0, i, 1), 1, false);
        }
        return Tensor.cat(0, picks).squeeze(1);
    }

    @Override
    public void close() {
        for (Rng rng : rngs) {
            rng.close();
        }
    }
}
