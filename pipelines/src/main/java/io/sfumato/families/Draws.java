package io.sfumato.families;

import io.sfumato.Options;
import io.sfumato.diffusion.Noise;
import io.sfumato.tensor.Rng;
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

    @Override
    public void close() {
        for (Rng rng : rngs) {
            rng.close();
        }
    }
}
