package io.sfumato.training;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;

/**
 * Watches which entries of a codebook are used. Entries can follow the running mean of the latents that they stand for, in place of a loss
 * (van den Oord et al. 2017, appendix A.1), and entries that nothing has used are begun anew at latents of the batch (Dhariwal et al.
 * 2020).
 */
public final class CodebookUse implements AutoCloseable {
    private final Tensor entries;
    private final Tensor sums;
    private final Tensor sizes;
    private final Tensor unused;
    private final double decay;

    /**
     * @param entries of the codebook (codes, width), which stay the caller's
     * @param decay   of the running means
     */
    public CodebookUse(Tensor entries, double decay) {
        this.entries = entries;
        this.decay = decay;
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            sums = entries.detach().clone().retain();
            sizes = Tensor.ones(entries.size(0)).retain();
            unused = Tensor.zeros(DType.I64, entries.size(0)).retain();
        }
    }

    /** Counts the codes (n) of a batch; returns how many different ones it has. */
    public int count(Tensor codes) {
        try (var scope = new Scope()) {
            long[] batches = Arrays.stream(unused.toLongs()).map(n -> n + 1).toArray();
            Arrays.stream(codes.toLongs()).forEach(code -> batches[(int) code] = 0);
            unused.copy_(Tensor.of(batches, batches.length));
            return (int) Arrays.stream(batches).filter(n -> n == 0).count();
        }
    }

    /** Moves entries to the running means of the latents (n, width) that {@code codes} (n) stand for. */
    public void follow(Tensor latents, Tensor codes) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Tensor oneHot = codes.view(-1, 1).eq(Tensor.arange(sizes.size(0)).view(1, -1)).to(latents.dtype());      // (n, codes)
            sizes.lerp_(oneHot.sum(false, 0), 1 - decay);
            sums.lerp_(oneHot.transpose(0, 1).matmul(latents), 1 - decay);
            entries.copy_(sums.div(sizes.unsqueeze(1).clamp(1e-5, Double.POSITIVE_INFINITY)));
        }
    }

    /** Begins entries that no code of the last {@code batches} batches used anew, at random latents (n, width); returns how many. */
    public int restart(Tensor latents, long batches, Rng rng) {
        int restarted = 0;
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            long[] waited = unused.toLongs(), picks = rng.randint(0, latents.size(0), waited.length).toLongs();
            for (int i = 0; i < waited.length; i++) {
                if (waited[i] >= batches) {
                    Tensor latent = latents.select(0, picks[i]);
                    entries.select(0, i).copy_(latent);
                    sums.select(0, i).copy_(latent);
                    sizes.select(0, i).copy_(Tensor.ones());
                    waited[i] = 0;
                    restarted++;
                }
            }
            unused.copy_(Tensor.of(waited, waited.length));
        }
        return restarted;
    }

    /** What a checkpoint needs to go on. */
    public Map<String, Tensor> state() {
        return Map.of("sums", sums, "sizes", sizes, "unused", unused);
    }

    @Override
    public void close() {
        state().values().forEach(Tensor::close);
    }
}
