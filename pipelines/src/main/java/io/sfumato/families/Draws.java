package io.sfumato.families;

import io.sfumato.Options;
import io.sfumato.autoregressive.MaskedDecoding;
import io.sfumato.diffusion.Noise;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/** The generators of one batch, seeded as the options say. */
final class Draws implements AutoCloseable {
    private final Rng[] rngs;
    private final Noise noise;
    private final boolean shared;

    Draws(Options o, int pictures) {
        shared = o.seeds() == Options.Seeds.SHARED;
        if (!o.pictureSeeds().isEmpty() && (shared || o.pictureSeeds().size() != pictures)) {
            throw new IllegalArgumentException(o.pictureSeeds().size() + " picture seeds for " + pictures
                    + (shared ? " pictures that share one" : " pictures: one for each is wanted"));
        }
        rngs = IntStream.range(0, shared ? 1 : pictures).mapToObj(i -> new Rng(o.seedOf(i))).toArray(Rng[]::new);
        noise = shared ? Noise.shared(rngs[0]) : Noise.each(rngs);
    }

    /** Whether one generator draws for the whole batch. */
    boolean shared() {
        return shared;
    }

    Noise noise() {
        return noise;
    }

    /**
     * Draws one index from each row of weights (n, V): the rows of a picture from its generator, or all in order from the shared one.
     */
    Tensor multinomial(Tensor weights) {
        return draw(weights);
    }

    private Tensor draw(Tensor weights) {
        if (shared) {
            return rngs[0].multinomial(weights, 1, false).squeeze(1);
        }
        Tensor[] picks = new Tensor[rngs.length];
        long rows = weights.size(0) / rngs.length;
        for (int i = 0; i < picks.length; i++) {
            picks[i] = rngs[i].multinomial(weights.narrow(0, i * rows, rows), 1, false);
        }
        return Tensor.cat(0, picks).squeeze(1);
    }

    /** For models that draw all tokens of a picture at once. */
    MaskedDecoding.Draws masked() {
        return new MaskedDecoding.Draws() {
            @Override
            public Tensor multinomial(Tensor weights) {
                return draw(weights);
            }

            @Override
            public Tensor uniform(long... shape) {
                return shared ? rngs[0].rand(shape) : Tensor.cat(0, Arrays.stream(rngs).map(rng -> rng.rand(1, shape[1]))
                        .toArray(Tensor[]::new));
            }
        };
    }

    @Override
    public void close() {
        for (Rng rng : rngs) {
            rng.close();
        }
    }
}
