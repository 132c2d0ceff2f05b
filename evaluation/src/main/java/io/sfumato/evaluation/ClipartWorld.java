package io.sfumato.evaluation;

import io.sfumato.Options;
import io.sfumato.TextToImage;
import io.sfumato.image.Image;
import io.sfumato.training.Progress;
import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.Split;
import io.sfumato.training.world.World;
import io.sfumato.training.world.WorldConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The benchmark of models of clip-art world: captions of held-out scenes are drawn, and a {@link Detector} that knows no captions says
 * what the pictures show. Beside the model stand the real scenes of the same captions (how far the detector can be trusted) and the
 * model's pictures against each other's captions (what chance would score).
 *
 * @param count      captions in all: about a third each of one kind and of two kinds of thing, three in twenty of unseen combinations (half
 *                   of colour and noun, half of two nouns), and half as many each with unseen synonyms and in unseen phrasings
 * @param nouns      of the captions: those that the model was trained on
 * @param references held-out scenes that features are compared with, and training scenes among which the nearest is looked for
 */
public record ClipartWorld(int count, List<String> nouns, int references) {
    static final String ONE = "one_kind";
    static final String TWO = "two_kinds";
    static final String COMBINATIONS = "unseen_combinations";
    static final String SYNONYMS = "unseen_synonyms";
    static final String PHRASINGS = "unseen_phrasings";
    static final String SHUFFLED = "shuffled";

    private static final int LEAST = 8;
    /** No caption comes from held-out scenes from here on: features are compared with them. */
    private static final long COMPARED = 1L << 30;

    public ClipartWorld {
        nouns = List.copyOf(nouns);
        if (count < LEAST || references < 2) {
            throw new IllegalArgumentException("count " + count + ", references " + references + ": at least " + LEAST
                    + " captions and 2 references are wanted");
        }
    }

    /** 4000 references. */
    public static ClipartWorld of(int count, List<String> nouns) {
        return new ClipartWorld(count, nouns, 4000);
    }

    /**
     * Draws what {@code output} does not have yet, and measures. {@code output/pictures} holds the pictures.
     *
     * @param name    what made the pictures: another for every model, as pictures of an earlier run are kept under it
     * @param options how to draw; picture i has seed {@code options.seed() + i}
     * @throws IllegalArgumentException when {@code output} holds pictures of another model or of other options, or the detector does
     *                                  not know a noun
     */
    public ClipartWorldReport run(TextToImage model, String name, Options options, Detector detector, ClipArt art, Path output,
                                  Progress progress) {
        List<String> unknown = nouns.stream().filter(n -> !detector.nouns().contains(n)).toList();
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("the detector knows no " + String.join(", ", unknown) + "; its nouns are "
                    + String.join(", ", detector.nouns()));
        }
        World world = world(art);
        Map<String, List<Scene>> asked = asked(world);
        Gallery gallery = new Gallery(output.resolve("pictures"), name + " with " + options);
        Map<String, WorldScores> drawn = new LinkedHashMap<>(), real = new LinkedHashMap<>();
        List<ClipartWorldReport.Picture> pictures = new ArrayList<>();
        List<double[]> drawnFeatures = new ArrayList<>(), realFeatures = new ArrayList<>();
        List<Scene> shuffledScenes = new ArrayList<>();
        List<List<Detector.Detection>> shuffledFound = new ArrayList<>();
        try (NearestScenes nearest = new NearestScenes(seed -> Pictures.ofWorld(world.scene(seed)), references, progress)) {
            long seed = options.seed();
            for (Map.Entry<String, List<Scene>> set : asked.entrySet()) {
                List<Scene> scenes = set.getValue();
                List<String> captions = scenes.stream().map(Scene::caption).toList();
                List<Image> images = gallery.pictures(set.getKey(), captions, model, options.withSeed(seed), progress);
                seed += scenes.size();
                Detector.Reading reading = detector.read(images), truth = detector.read(Pictures.ofWorld(scenes));
                drawn.put(set.getKey(), WorldScores.of(scenes, reading.found()));
                real.put(set.getKey(), WorldScores.of(scenes, truth.found()));
                drawnFeatures.addAll(reading.features());
                realFeatures.addAll(truth.features());
                if (set.getKey().equals(ONE) || set.getKey().equals(TWO)) {
                    shuffledScenes.addAll(Captions.shuffled(scenes));
                    shuffledFound.addAll(reading.found());
                }
                List<NearestScenes.Nearest> near = nearest.of(images);
                for (int i = 0; i < scenes.size(); i++) {
                    pictures.add(new ClipartWorldReport.Picture(set.getKey(), i, scenes.get(i), reading.found().get(i), near.get(i),
                            Pictures.ofWorld(world.scene(near.get(i).seed()))));
                }
            }
        }
        drawn.put(SHUFFLED, WorldScores.of(shuffledScenes, shuffledFound));
        List<Scene> others = scenes(world, Split.HELD_OUT, COMPARED, references, s -> true);
        List<double[]> compared = detector.read(Pictures.ofWorld(others)).features();
        return new ClipartWorldReport(name, options, drawn, real, Frechet.distance(drawnFeatures, compared),
                Frechet.distance(realFeatures, compared), references, pictures);
    }

    /** The captions of one kind and of two kinds of thing, half of {@code count} each, as scenes. */
    public List<Scene> simple(ClipArt art) {
        World world = world(art);
        List<Scene> scenes = new ArrayList<>(scenes(world, Split.HELD_OUT, 0, count - count / 2, s -> s.groups().size() == 1));
        scenes.addAll(scenes(world, Split.HELD_OUT, 0, count / 2, s -> s.groups().size() == 2));
        return scenes;
    }

    /** As the first vocabulary's, with the nouns of the captions. */
    private World world(ClipArt art) {
        WorldConfig c = WorldConfig.sixty(Detector.SIZE);
        return new World(new WorldConfig(c.size(), nouns, c.looks(), c.kinds(), c.counts(), c.things(), c.coloured(), c.sized(), c.placed(),
                c.backgrounds(), c.styles(), c.styled(), c.narrated()), art);
    }

    private Map<String, List<Scene>> asked(World world) {
        Map<String, List<Scene>> unseen = new LinkedHashMap<>();
        unseen.put(COMBINATIONS, Stream.concat(kept(world, Split.UNSEEN_COLOURS, count * 3 / 20 - count * 3 / 40),
                kept(world, Split.UNSEEN_PAIRS, count * 3 / 40)).toList());
        unseen.put(SYNONYMS, kept(world, Split.UNSEEN_SYNONYMS, count * 3 / 40).toList());
        unseen.put(PHRASINGS, kept(world, Split.UNSEEN_PHRASINGS, count * 3 / 40).toList());
        int seen = count - unseen.values().stream().mapToInt(List::size).sum();
        Map<String, List<Scene>> asked = new LinkedHashMap<>();
        asked.put(ONE, scenes(world, Split.HELD_OUT, 0, seen - seen / 2, s -> s.groups().size() == 1));
        asked.put(TWO, scenes(world, Split.HELD_OUT, 0, seen / 2, s -> s.groups().size() == 2));
        asked.putAll(unseen);
        return asked;
    }

    /** The first scenes of what training keeps back, or none: few nouns may have no such synonym or pair. */
    private static Stream<Scene> kept(World world, Split split, int count) {
        return world.has(split) ? scenes(world, split, 0, count, s -> true).stream() : Stream.empty();
    }

    private static List<Scene> scenes(World world, Split split, long from, int count, Predicate<Scene> among) {
        return LongStream.iterate(from, i -> i + 1).mapToObj(i -> world.scene(split, i)).filter(among).limit(count).toList();
    }
}
