package io.sfumato.evaluation;

import io.sfumato.Options;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.training.Progress;
import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The benchmark of models of the clip-art world: captions of held-out scenes are drawn, and a classifier that knows no captions says
 * what the pictures show. Beside the model stand the real scenes of the same captions (how far the classifier can be trusted) and the
 * model's pictures against each other's captions (what chance would score).
 *
 * @param count      captions of one thing, balanced over the nouns; a third as many of two things are added
 * @param validation held-out scenes of one thing that the classifier itself is measured on
 * @param references training scenes, from seed 0 on, among which the nearest to each picture is looked for
 */
public record FirstLight(int count, int validation, int references) {
    /** The world of recipes/first-light.yaml. */
    public static final Scenes.Config WORLD = new Scenes.Config(64, 0.3, 0.6, 0.25, List.of("apple", "balloon", "banana", "butterfly",
            "car", "cupcake", "duck", "fish", "flower", "heart", "house", "mushroom", "penguin", "pineapple", "pumpkin", "snowman",
            "strawberry", "sun", "tree", "umbrella"));

    private static final int SHEET = 64;
    private static final int COLUMNS = 8;

    public FirstLight {
        if (count < 1 || validation < 1 || references < 1) {
            throw new IllegalArgumentException("count " + count + ", validation " + validation + ", references " + references
                    + ": each must be at least 1");
        }
    }

    /** 2000 validation scenes, 20000 reference scenes. */
    public static FirstLight of(int count) {
        return new FirstLight(count, 2000, 20000);
    }

    /**
     * Draws what {@code output} does not have yet, measures, and writes {@code report.md}, {@code report.json} and the first 64 pictures
     * in the order of their seeds, {@code grid.png}, there.
     *
     * @param name    what made the pictures: another for every model, as pictures of an earlier run are kept under it
     * @param options how to draw; picture i has seed {@code options.seed() + i}
     * @throws IllegalArgumentException when {@code output} holds pictures of another model or of other options
     */
    public FirstLightReport run(TextToImage model, String name, Options options, Scenes world, SceneClassifier classifier, Path output,
                                Progress progress) {
        List<Scene> singles = Captions.singles(world, count), pairs = Captions.pairs(world, count / 3);
        Gallery gallery = new Gallery(output.resolve("pictures"), name + " with " + options);
        List<Image> drawn = gallery.pictures("single", captions(singles), model, options, progress);
        List<Image> drawnPairs = gallery.pictures("pair", captions(pairs), model, options.withSeed(options.seed() + count), progress);

        List<Scene> known = Captions.validation(world, validation);
        Share accuracy = SceneScores.of(known, classifier.read(Pictures.of(known))).recognised();
        List<SceneClassifier.Reading> readings = classifier.read(joined(drawn, drawnPairs));
        List<Scene> asked = joined(singles, pairs);
        Share shuffled = SceneScores.of(Captions.shuffled(singles), readings.subList(0, count)).recognised();
        SceneScores real = SceneScores.of(asked, classifier.read(Pictures.of(asked)));
        try (NearestScenes nearest = new NearestScenes(seed -> Pictures.of(world.scene(seed)), references, progress)) {
            FirstLightReport report = new FirstLightReport(name, options, accuracy, SceneScores.of(asked, readings), real, shuffled,
                    FirstLightReport.Distances.of(nearest.distances(joined(drawn, drawnPairs))),
                    FirstLightReport.Distances.of(nearest.distances(Pictures.of(asked))),
                    references, captions(singles).stream().limit(SHEET).toList());
            Image.grid(drawn.subList(0, Math.min(SHEET, count)), COLUMNS).write(output.resolve("grid.png"));
            report.write(output);
            return report;
        }
    }

    private static List<String> captions(List<Scene> scenes) {
        return scenes.stream().map(Scene::caption).toList();
    }

    private static <T> List<T> joined(List<T> a, List<T> b) {
        List<T> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }
}
