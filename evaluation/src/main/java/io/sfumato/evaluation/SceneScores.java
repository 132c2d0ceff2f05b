package io.sfumato.evaluation;

import io.sfumato.evaluation.SceneClassifier.Reading;
import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;

/**
 * How well pictures show what their captions say, in the eyes of a {@link SceneClassifier}.
 *
 * @param recognised pictures of one thing that show its noun
 * @param alone      of those pictures, those that show nothing else
 * @param coloured   of those whose caption names a colour, those with the noun and that colour
 * @param perNoun    {@code recognised} by noun, for the nouns that were asked for
 * @param both       pictures of two things that show both nouns, on any side
 * @param sides      of those whose caption says which is on the left, those with both nouns on their sides
 */
public record SceneScores(Share recognised, Share alone, Share coloured, Map<String, Share> perNoun, Share both, Share sides) {

    /** Scores readings of pictures against the scenes whose captions they were made from, in the same order. */
    public static SceneScores of(List<Scene> asked, List<Reading> readings) {
        if (asked.size() != readings.size()) {
            throw new IllegalArgumentException(readings.size() + " readings of pictures for " + asked.size() + " captions");
        }
        BiPredicate<Scene, Reading> single = (scene, r) -> scene.objects().size() == 1, pair = single.negate();
        Map<String, Share> perNoun = new LinkedHashMap<>();
        for (String noun : Scenes.nouns()) {
            Share share = share(asked, readings, single.and((s, r) -> s.objects().get(0).noun().equals(noun)), SceneScores::isNoun);
            if (share.of() > 0) {
                perNoun.put(noun, share);
            }
        }
        return new SceneScores(
                share(asked, readings, single, SceneScores::isNoun),
                share(asked, readings, single, (s, r) -> isNoun(s, r) && r.right() == SceneClassifier.NOTHING),
                share(asked, readings, single.and((s, r) -> !s.objects().get(0).colour().equals(Scene.NATURAL)),
                        (s, r) -> isNoun(s, r) && r.leftColour().word().equals(s.objects().get(0).colour())),
                perNoun,
                share(asked, readings, pair, (s, r) -> isPair(s, r.left(), r.right()) || isPair(s, r.right(), r.left())),
                share(asked, readings, pair.and((s, r) -> saysSides(s.caption())), (s, r) -> isPair(s, r.left(), r.right())));
    }

    private static boolean isNoun(Scene scene, Reading r) {
        return r.left() == scene.objects().get(0).nounIndex();
    }

    private static boolean isPair(Scene scene, int left, int right) {
        return left == scene.objects().get(0).nounIndex() && right == scene.objects().get(1).nounIndex();
    }

    private static boolean saysSides(String caption) {
        return caption.contains(" left") || caption.contains(" right");
    }

    private static Share share(List<Scene> asked, List<Reading> readings, BiPredicate<Scene, Reading> among,
                               BiPredicate<Scene, Reading> hit) {
        int hits = 0, of = 0;
        for (int i = 0; i < asked.size(); i++) {
            if (among.test(asked.get(i), readings.get(i))) {
                of++;
                hits += hit.test(asked.get(i), readings.get(i)) ? 1 : 0;
            }
        }
        return new Share(hits, of);
    }
}
