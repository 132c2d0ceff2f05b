package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.evaluation.SceneClassifier.Reading;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.util.List;
import org.junit.jupiter.api.Test;

class SceneScoresTest {
    private static final Scenes WORLD = World.of(16);

    /** What a classifier without errors would see. */
    private static Reading truth(Scene scene) {
        Scene.Thing left = scene.objects().get(0), right = scene.objects().get(scene.objects().size() - 1);
        return new Reading(left.nounIndex(), scene.objects().size() == 1 ? SceneClassifier.NOTHING : right.nounIndex(),
                colour(left), colour(right));
    }

    private static Colour colour(Scene.Thing thing) {
        return thing.colour().equals(Scene.NATURAL) ? Colour.GREY : SceneClassifierTrainer.colour(thing);
    }

    @Test
    void perfectPicturesOfOneThingScoreAll() {
        List<Scene> asked = Captions.singles(WORLD, 390);
        SceneScores scores = SceneScores.of(asked, asked.stream().map(SceneScoresTest::truth).toList());
        assertThat(scores.recognised()).isEqualTo(new Share(390, 390));
        assertThat(scores.alone()).isEqualTo(new Share(390, 390));
        assertThat(scores.coloured().value()).isEqualTo(1);
        assertThat(scores.coloured().of()).isBetween(150, 300);
        assertThat(scores.perNoun()).hasSize(39).allSatisfy((noun, share) -> assertThat(share).isEqualTo(new Share(10, 10)));
        assertThat(scores.both()).isEqualTo(new Share(0, 0));
    }

    @Test
    void shuffledCaptionsScoreChance() {
        List<Scene> asked = Captions.singles(WORLD, 390);
        List<Reading> readings = asked.stream().map(SceneScoresTest::truth).toList();
        // One in 39 by chance: 10 of 390, and less than one time in a million more than 30.
        assertThat(SceneScores.of(Captions.shuffled(asked), readings).recognised().hits()).isBetween(1, 30);
    }

    @Test
    void perfectPicturesOfTwoThingsScoreAllAndMirroredOnesOnlyTheNouns() {
        List<Scene> asked = Captions.pairs(WORLD, 60);
        SceneScores perfect = SceneScores.of(asked, asked.stream().map(SceneScoresTest::truth).toList());
        assertThat(perfect.both()).isEqualTo(new Share(60, 60));
        assertThat(perfect.sides().value()).isEqualTo(1);
        assertThat(perfect.sides().of()).isBetween(15, 50);
        assertThat(perfect.recognised().of()).isZero();

        SceneScores mirrored = SceneScores.of(asked, asked.stream().map(SceneScoresTest::truth)
                .map(r -> new Reading(r.right(), r.left(), r.rightColour(), r.leftColour())).toList());
        assertThat(mirrored.both()).isEqualTo(new Share(60, 60));
        assertThat(mirrored.sides()).isEqualTo(new Share(0, perfect.sides().of()));
    }

    @Test
    void aSecondThingOrAnotherColourCosts() {
        List<Scene> asked = Captions.singles(WORLD, 80).stream().filter(s -> s.objects().get(0).colour().equals("red")).limit(1).toList();
        int noun = asked.get(0).objects().get(0).nounIndex();
        SceneScores crowded = SceneScores.of(asked, List.of(new Reading(noun, (noun + 1) % 39, Colour.RED, Colour.RED)));
        assertThat(crowded.recognised().hits()).isEqualTo(1);
        assertThat(crowded.alone().hits()).isZero();
        assertThat(crowded.coloured()).isEqualTo(new Share(1, 1));
        SceneScores blue = SceneScores.of(asked, List.of(new Reading(noun, SceneClassifier.NOTHING, Colour.BLUE, Colour.RED)));
        assertThat(blue.coloured()).isEqualTo(new Share(0, 1));
    }

    @Test
    void refusesReadingsOfOtherCaptions() {
        assertThatThrownBy(() -> SceneScores.of(Captions.singles(WORLD, 3), List.of())).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("0 readings of pictures for 3 captions");
    }
}
