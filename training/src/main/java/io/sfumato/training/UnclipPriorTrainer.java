package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.models.unclip.AutoregressivePrior;
import io.sfumato.models.unclip.PriorTransformer;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Trains an unCLIP's prior (Ramesh et al. 2022, 2.2): to predict the image embedding that it sees under noise, or to write the embedding's
 * principal components as codes.
 */
final class UnclipPriorTrainer {
    /** How much further than what was seen the codes reach. */
    private static final double MARGIN = 0.05;

    private final UnclipRecipe recipe;
    private final UnclipRecipe.Prior sizes;
    private final UnclipLoop loop;
    private final Example.Source scenes;

    UnclipPriorTrainer(UnclipRecipe recipe, UnclipLoop loop, Example.Source scenes) {
        this.recipe = recipe;
        this.sizes = recipe.prior();
        this.loop = loop;
        this.scenes = scenes;
    }

    void train(FrozenClip clip, UnclipFolder folder) {
        try (Rng init = new Rng(recipe.seed() + 1); Weights weights = Weights.init(init, Device.CPU); Scope constants = new Scope()) {
            UnclipLoop.Batches batches = sizes.codes().isEmpty() ? diffusion(clip, folder, weights) : codes(clip, folder, weights);
            loop.run("prior", 0, sizes.loop(), weights.parameters(), batches, average -> folder.write("prior", average));
        }
    }

    private UnclipLoop.Batches diffusion(FrozenClip clip, UnclipFolder folder, Weights weights) {
        PriorTransformer prior = new PriorTransformer(weights, PriorTransformer.Config.of(folder.config("prior")));
        Tensor all = seen(clip)[0], mean = all.mean(true, 0);                                                       // (1, E)
        Tensor deviation = all.sub(mean).square().mean(true, 0).add(1e-8).sqrt();
        set(weights, Map.of("clip_mean", mean, "clip_std", deviation));
        UnclipLevels levels = UnclipLevels.of(folder, "prior_scheduler");
        return (batch, rng) -> {
            int b = batch.size();
            FrozenClip.Read read = clip.read(batch, rng.rand(b).lt(sizes.textDropout()));
            Tensor x0 = clip.see(AutoencoderTrainer.pictures(batch)).sub(mean).div(deviation);                      // (B, E)
            Tensor t = levels.times(b, rng), x = levels.noisy(x0, rng.randn(x0.shape()), t);
            return (from, count) -> {
                FrozenClip.Read part = read.part(from, count);
                Tensor guess = prior.forward(x.narrow(0, from, count), t.narrow(0, from, count), part.embeddings(), part.states(),
                        part.mask());
                return guess.sub(x0.narrow(0, from, count)).square().mean();
            };
        };
    }

    private UnclipLoop.Batches codes(FrozenClip clip, UnclipFolder folder, Weights weights) {
        AutoregressivePrior.Config config = AutoregressivePrior.Config.of(folder.config("prior"));
        AutoregressivePrior prior = new AutoregressivePrior(weights, config);
        measure(seen(clip), config, weights);
        return (batch, rng) -> {
            int b = batch.size();
            Tensor images = clip.see(AutoencoderTrainer.pictures(batch));                                           // (B, E)
            FrozenClip.Read whole = clip.read(batch, Tensor.zeros(b));
            FrozenClip.Read read = clip.read(batch, rng.rand(b).lt(sizes.textDropout()));
            Tensor codes, agree;
            try (NoGrad noGrad = new NoGrad()) {
                codes = prior.codes(images);                                                                        // (B, components)
                agree = prior.agreements(images, whole.embeddings());
            }
            return (from, count) -> {
                FrozenClip.Read part = read.part(from, count);
                Tensor wanted = codes.narrow(0, from, count);
                Tensor logits = prior.forward(wanted.narrow(1, 0, config.components() - 1), part.embeddings(), part.states(), part.mask(),
                        agree.narrow(0, from, count));
                return Functional.crossEntropy(logits.flatten(0, 1), wanted.flatten(0, 1));
            };
        };
    }

    /** Tells the prior the principal components, how far they reach, and how well texts and pictures agree. */
    private static void measure(Tensor[] seen, AutoregressivePrior.Config config, Weights weights) {
        int rows = (int) seen[0].size(0), e = config.embed();
        double[] images = seen[0].toDoubles(), texts = seen[1].toDoubles();
        double[][] data = new double[rows][];
        double[] dots = new double[rows];
        for (int i = 0; i < rows; i++) {
            data[i] = Arrays.copyOfRange(images, i * e, (i + 1) * e);
            for (int j = 0; j < e; j++) {
                dots[i] += images[i * e + j] * texts[i * e + j];
            }
        }
        PrincipalComponents found = PrincipalComponents.of(data, config.components());
        double[] axes = Arrays.stream(found.axes()).flatMapToDouble(Arrays::stream).toArray();
        double[] least = new double[config.components()], most = new double[least.length];
        for (int k = 0; k < least.length; k++) {
            double[] axis = found.axes()[k];
            double[] along = Arrays.stream(data).mapToDouble(row -> {
                double sum = 0;
                for (int j = 0; j < e; j++) {
                    sum += (row[j] - found.mean()[j]) * axis[j];
                }
                return sum;
            }).toArray();
            double low = Arrays.stream(along).min().getAsDouble(), high = Arrays.stream(along).max().getAsDouble();
            least[k] = low - MARGIN * (high - low) - 1e-6;
            most[k] = high + MARGIN * (high - low) + 1e-6;
        }
        Arrays.sort(dots);
        double[] edges = new double[config.agreements() - 1];
        for (int k = 0; k < edges.length; k++) {
            edges[k] = dots[(int) ((long) (k + 1) * rows / config.agreements())];
        }
        set(weights, Map.of("mean", Tensor.of(found.mean(), 1, e), "axes", Tensor.of(axes, least.length, e),
                "least", Tensor.of(least, 1, least.length), "most", Tensor.of(most, 1, most.length),
                "edges", Tensor.of(edges, edges.length)));
    }

    private static void set(Weights weights, Map<String, Tensor> values) {
        try (NoGrad noGrad = new NoGrad()) {
            values.forEach((name, x) -> weights.parameters().get(name).copy_(x));
        }
    }

    /** Image and text embeddings of scenes that no network is trained on, each (N, E). */
    private Tensor[] seen(FrozenClip clip) {
        try (Scope scope = new Scope(); NoGrad noGrad = new NoGrad()) {
            List<Tensor> images = new ArrayList<>(), texts = new ArrayList<>();
            int at = sizes.loop().batch();
            for (long from = 0; from < sizes.scenes(); from += at) {
                List<Example> batch = new ArrayList<>();
                for (long seed = from; seed < Math.min(from + at, sizes.scenes()); seed++) {
                    batch.add(scenes.example(UnclipLoop.SCENES - 1 - seed));
                }
                images.add(clip.see(AutoencoderTrainer.pictures(batch)));
                texts.add(clip.read(batch, Tensor.zeros(batch.size())).embeddings());
            }
            return new Tensor[] {scope.keep(Tensor.cat(0, images.toArray(Tensor[]::new))),
                scope.keep(Tensor.cat(0, texts.toArray(Tensor[]::new)))};
        }
    }
}
