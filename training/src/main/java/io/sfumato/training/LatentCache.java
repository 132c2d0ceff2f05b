package io.sfumato.training;

import io.sfumato.io.FileWrite;
import io.sfumato.io.SafeTensors;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Scenes encoded once: their latents (N, z, h, w) in float16, not yet scaled, and their captions.
 *
 * @param scale one over the standard deviation of all latents: the scaling factor of the diffusion model
 */
record LatentCache(Tensor latents, List<String> captions, double scale) implements AutoCloseable {
    private static final int BATCH = 64;

    /** Reads the cache in the run's folder, or encodes the scenes of seeds 0 to count - 1 and writes it. */
    static LatentCache of(Run run, Example.Source scenes, AutoencoderKl vae, int count) {
        Path file = run.file("latents.safetensors"), texts = run.file("captions.txt");
        run.once(() -> {
            if (!Files.exists(file)) {
                encode(file, texts, scenes, vae, count, run.progress());
            }
        });
        try {
            try (SafeTensors saved = SafeTensors.open(file); var scope = new Scope()) {
                Tensor latents = saved.get("latents").retain();
                return new LatentCache(latents, Files.readAllLines(texts), Double.parseDouble(saved.metadata().get("scale")));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(texts + ": " + e.getMessage(), e);
        }
    }

    private static void encode(Path file, Path texts, Example.Source scenes, AutoencoderKl vae, int count, Progress progress) {
        List<Tensor> parts = new ArrayList<>();
        List<String> captions = new ArrayList<>();
        double sum = 0, squares = 0;
        try (var all = new Scope(); var noGrad = new NoGrad(); Shards shards = new Shards(BATCH);
                SceneBatches<Example> batches = new SceneBatches<>(scenes::example, BATCH, 0)) {
            while (captions.size() < count) {
                try (var scope = new Scope()) {
                    List<Example> batch = batches.next();
                    Tensor x = AutoencoderTrainer.pictures(batch);                                          // (B, 3, S, S)
                    Tensor mean = shards.rows(BATCH, (from, n) -> vae.encode(x.narrow(0, from, n)).mean()); // (B, z, h, w)
                    sum += mean.mean().item();
                    squares += mean.square().mean().item();
                    parts.add(scope.keep(mean.contiguous().to(DType.F16)));
                    batch.forEach(s -> captions.add(s.caption()));
                    progress.step("latents", Math.min(captions.size(), count), count, Double.NaN);
                }
            }
            // The latents last: where their file is, the captions are too.
            FileWrite.whole(texts, String.join("\n", captions) + "\n");
            double mean = sum / parts.size();
            double scale = 1 / Math.sqrt(squares / parts.size() - mean * mean);
            SafeTensors.write(file, Map.of("latents", Tensor.cat(0, parts.toArray(Tensor[]::new))), Map.of("scale", String.valueOf(scale)));
        }
    }

    @Override
    public void close() {
        latents.close();
    }
}
