package io.sfumato.evaluation;

import io.sfumato.io.Weights;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.AdamW;
import io.sfumato.training.Progress;
import io.sfumato.training.SceneBatches;
import io.sfumato.training.Schedule;
import io.sfumato.training.Shards;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Trains a {@link SceneClassifier} on training scenes, blurred and under noise by a random amount each, so that the softness of
 * generated pictures is nothing new to it. Loss: cross entropy of the left thing, of the right thing or nothing, and of the colours
 * that have a name.
 *
 * @param firstSeed of the scenes: the classifier need not see the scenes that the model saw
 */
public record SceneClassifierTrainer(long steps, int batch, double rate, long firstSeed) {
    private static final double NOISE = 0.15;

    /** 38400 scenes: minutes of one core. */
    public static SceneClassifierTrainer standard() {
        return new SceneClassifierTrainer(1200, 32, 0.002, Scenes.HELD_OUT / 2);
    }

    /** Trains a fresh classifier on 64 x 64 scenes; the caller closes it. The same {@code seed} gives the same classifier. */
    public SceneClassifier train(Scenes scenes, long seed, Progress progress) {
        return train(scenes, SceneClassifier.Config.of64(), seed, progress);
    }

    SceneClassifier train(Scenes scenes, SceneClassifier.Config config, long seed, Progress progress) {
        try (Rng init = new Rng(seed)) {
            Weights weights = Weights.init(init, Device.CPU);
            SceneClassifier classifier = new SceneClassifier(weights, config);
            Schedule schedule = new Schedule(rate, Math.min(steps / 10, 50), steps);
            try (AdamW optimizer = new AdamW(weights.parameters(), 0.01, 1); Shards shards = new Shards(batch);
                    SceneBatches<Scene> batches = new SceneBatches<>(scenes::scene, batch, firstSeed)) {
                for (long step = 0; step < steps; step++) {
                    try (Rng rng = new Rng(seed + 1 + step); Scope scope = new Scope()) {
                        List<Scene> truth = batches.next();
                        Tensor x = softened(SceneBatches.pictures(truth), rng);                        // (B, 3, S, S)
                        double loss = shards.backward(batch, (from, count) ->
                                loss(classifier.forward(x.narrow(0, from, count)), truth.subList(from, from + count)));
                        optimizer.step(step + 1, schedule.at(step));
                        progress.step("classifier", step + 1, steps, loss);
                    }
                }
                return classifier;
            } catch (RuntimeException e) {
                classifier.close();
                throw e;
            }
        }
    }

    /** Each picture mixed with its blurred self by a random share, plus noise of a random strength. */
    static Tensor softened(Tensor x, Rng rng) {
        long n = x.size(0), size = x.size(2);
        Tensor planes = x.contiguous().view(n * 3, 1, size, size);
        // Bright pictures have bright borders: take white for what lies outside, as zero in (x - 1).
        Tensor kernel = Tensor.full(1 / 9.0, 1, 1, 3, 3), none = Tensor.zeros(1);
        Tensor blurred = Functional.conv2d(Functional.conv2d(planes.sub(1), kernel, none, 1, 1), kernel, none, 1, 1).add(1).view(n, 3, size, size);
        Tensor mixed = x.add(blurred.sub(x).mul(rng.rand(n, 1, 1, 1)));
        return mixed.add(rng.randn(n, 3, size, size).mul(rng.rand(n, 1, 1, 1).mul(NOISE)));
    }

    private static Tensor loss(SceneClassifier.Scores scores, List<Scene> truth) {
        int nothing = Scenes.nouns().size();
        Tensor left = classes(truth, scene -> scene.objects().get(0).nounIndex());
        Tensor right = classes(truth, scene -> scene.objects().size() > 1 ? scene.objects().get(1).nounIndex() : nothing);
        Tensor loss = Functional.crossEntropy(scores.left(), left).add(Functional.crossEntropy(scores.right(), right));
        return loss.add(colourLoss(scores.leftColour(), truth, 0)).add(colourLoss(scores.rightColour(), truth, 1));
    }

    /** Cross entropy of the colours of thing {@code place} where they have a name; zero for the others. */
    private static Tensor colourLoss(Tensor scores, List<Scene> truth, int place) {
        Tensor named = classes(truth, scene -> named(scene, place) ? 1 : 0);
        Tensor colour = classes(truth, scene -> named(scene, place) ? colour(scene.objects().get(place)).ordinal() : 0);
        Tensor log = scores.logSoftmax(1).gather(1, colour.unsqueeze(1)).squeeze(1);                  // (B)
        return log.mul(named.to(log)).mean().neg();
    }

    private static boolean named(Scene scene, int place) {
        return place < scene.objects().size() && !scene.objects().get(place).colour().equals(Scene.NATURAL);
    }

    /** The colour of a thing that has a colour word. */
    static Colour colour(Scene.Thing thing) {
        return Colour.valueOf(thing.colour().toUpperCase(Locale.ROOT));
    }

    private static Tensor classes(List<Scene> truth, Function<Scene, Integer> of) {
        return Tensor.of(truth.stream().mapToLong(of::apply).toArray(), truth.size());
    }
}
