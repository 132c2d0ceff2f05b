package io.sfumato.evaluation;

import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** Held-out scenes, whose captions a model is asked for and whose pictures show what would be right. */
final class Captions {
    /** No benchmark asks for more captions than this: the seeds behind them are for measuring the classifier. */
    private static final long VALIDATION = Scenes.HELD_OUT + (1L << 30);

    private Captions() {
    }

    /** The first held-out scenes of one thing, as many of each of the world's nouns as there can be (the first ones have one more). */
    static List<Scene> singles(Scenes world, int count) {
        List<String> nouns = world.config().nouns();
        int[] taken = new int[nouns.size()];
        List<Scene> scenes = new ArrayList<>();
        for (long seed = Scenes.HELD_OUT; scenes.size() < count; seed++) {
            Scene scene = world.scene(seed);
            int noun = nouns.indexOf(scene.objects().get(0).noun());
            if (scene.objects().size() == 1 && taken[noun] < count / nouns.size() + (noun < count % nouns.size() ? 1 : 0)) {
                taken[noun]++;
                scenes.add(scene);
            }
        }
        return scenes;
    }

    /** The first held-out scenes of two things. */
    static List<Scene> pairs(Scenes world, int count) {
        return held(world, Scenes.HELD_OUT, count, 2);
    }

    /** Held-out scenes of one thing, other ones than captions come from. */
    static List<Scene> validation(Scenes world, int count) {
        return held(world, VALIDATION, count, 1);
    }

    private static List<Scene> held(Scenes world, long firstSeed, int count, int things) {
        return LongStream.iterate(firstSeed, seed -> seed + 1).mapToObj(world::scene).filter(s -> s.objects().size() == things)
                .limit(count).toList();
    }

    /** The same scenes in another order. */
    static <T> List<T> shuffled(List<T> scenes) {
        List<T> shuffled = new ArrayList<>(scenes);
        Collections.shuffle(shuffled, new Random(1));
        return shuffled;
    }
}
