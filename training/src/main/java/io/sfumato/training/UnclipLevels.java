package io.sfumato.training;

import io.sfumato.diffusion.SchedulerConfig;
import io.sfumato.io.JsonFile;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;

/** How much of picture and noise there is at each of a scheduler's times, each (T). */
record UnclipLevels(Tensor signal, Tensor noise) {
    static UnclipLevels of(UnclipFolder folder, String scheduler) {
        double[] alphas = SchedulerConfig.of(JsonFile.read(folder.path().resolve(scheduler).resolve("scheduler_config.json")))
                .alphasCumprod();
        return new UnclipLevels(DiffusionTrainer.table(alphas, Math::sqrt), DiffusionTrainer.table(alphas, a -> Math.sqrt(1 - a)));
    }

    /** Random times (count). */
    Tensor times(int count, Rng rng) {
        return rng.randint(0, signal.size(0), count);
    }

    /** What x0 (B, ...) is at times t (B). */
    Tensor noisy(Tensor x0, Tensor eps, Tensor t) {
        long[] each = new long[x0.shape().length];
        Arrays.fill(each, 1);
        each[0] = x0.size(0);
        return x0.mul(signal.indexSelect(0, t).view(each)).add(eps.mul(noise.indexSelect(0, t).view(each)));
    }
}
