package io.sfumato.diffusion;

import io.sfumato.tensor.Tensor;
import java.util.stream.LongStream;

/** Classifier-free guidance on a network's raw answers. */
public final class Guidance {
    private Guidance() {
    }

    /** D_u + w (D_c - D_u) (Ho and Salimans 2022); w 1 is no guidance. */
    public static Tensor guide(Tensor unconditional, Tensor conditional, double w) {
        return unconditional.add(conditional.sub(unconditional).mul(w));
    }

    /**
     * As the rows of one batch ask for it: raw answers (B, ...) as they are, (2B, ...), the unconditional ones first, guided, with their
     * spread brought back by the share {@code phi}. Channels above those of x (B, C, ...) are a learned variance, which is the
     * conditional answer's.
     */
    public static Tensor guide(Tensor out, Tensor x, double w, double phi) {
        if (out.size(0) == x.size(0)) {
            return out;
        }
        Tensor[] halves = out.chunk(2, 0);
        long channels = x.size(1), more = out.size(1) - channels;
        Tensor conditional = halves[1].narrow(1, 0, channels);
        Tensor answer = guide(halves[0].narrow(1, 0, channels), conditional, w);
        answer = phi > 0 ? rescale(answer, conditional, phi) : answer;
        return more == 0 ? answer : Tensor.cat(1, answer, halves[1].narrow(1, channels, more));
    }

    /**
     * Brings the spread of {@code guided} (B, ...) back towards the {@code conditional} answer's by the share {@code phi} in [0, 1]
     * (Lin et al. 2023, section 3.4).
     */
    public static Tensor rescale(Tensor guided, Tensor conditional, double phi) {
        long[] dims = LongStream.range(1, guided.dim()).toArray();
        Tensor rescaled = guided.mul(conditional.std(true, dims).div(guided.std(true, dims)));
        return rescaled.mul(phi).add(guided.mul(1 - phi));
    }
}
