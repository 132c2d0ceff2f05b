package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.evaluation.Detector.Detection;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.world.Box;
import io.sfumato.training.world.Relation;
import io.sfumato.training.world.Scene;
import io.sfumato.training.world.Split;
import io.sfumato.training.world.World;
import io.sfumato.training.world.WorldConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class WorldScoresTest {
    private static final World WORLD = new World(WorldConfig.sixty(32), DetectorTest.ART);
    private static final List<Scene> SCENES = LongStream.range(0, 300).mapToObj(i -> WORLD.scene(Split.HELD_OUT, i)).toList();

    /** What a detector that sees everything would find. */
    private static List<Detection> truth(Scene scene) {
        return scene.things().stream().map(t -> {
            Scene.Group group = scene.groups().get(t.group());
            return new Detection(1, group.noun(), group.hasColour() ? group.paint() : Colour.GREY, t.box());
        }).toList();
    }

    @Test
    void theTruthIsAllRight() {
        WorldScores scores = WorldScores.of(SCENES, SCENES.stream().map(WorldScoresTest::truth).toList());
        for (Share share : List.of(scores.objects(), scores.colours(), scores.counts(), scores.relations(), scores.allCorrect())) {
            assertThat(share.of()).isPositive();
            assertThat(share.hits()).isEqualTo(share.of());
        }
        assertThat(scores.colours().of()).isLessThan(300);
        assertThat(scores.relations().of()).isLessThan(150);
    }

    @Test
    void eachMistakeIsSeen() {
        Scene two = SCENES.stream().filter(s -> s.groups().size() == 2 && s.groups().stream().allMatch(Scene.Group::hasColour)
                && s.groups().get(0).count() == 1 && !s.said().isEmpty() && s.said().get(0).relation() == Relation.ABOVE).findFirst()
                .orElseThrow();
        List<Detection> right = truth(two);
        assertThat(WorldScores.isRight(two, right)).isTrue();
        assertThat(score(two, List.of())).isEqualTo(new Mistakes(false, false, false, false));
        assertThat(score(two, right.subList(0, right.size() - 1)).counts()).isFalse();
        List<Detection> repainted = right.stream().map(d -> new Detection(1, d.noun(), other(d.colour()), d.box())).toList();
        assertThat(score(two, repainted)).isEqualTo(new Mistakes(true, false, true, true));
        List<Detection> turned = right.stream().map(d -> new Detection(1, d.noun(), d.colour(),
                new Box(d.box().left(), 1 - d.box().bottom(), d.box().right(), 1 - d.box().top()))).toList();
        assertThat(score(two, turned)).isEqualTo(new Mistakes(true, true, true, false));
        List<Detection> more = new ArrayList<>(right);
        more.add(right.get(0));
        assertThat(score(two, more).counts()).isFalse();
    }

    private record Mistakes(boolean objects, boolean colours, boolean counts, boolean relations) {
    }

    private static Mistakes score(Scene scene, List<Detection> found) {
        WorldScores s = WorldScores.of(List.of(scene), List.of(found));
        int hits = s.objects().hits() + s.colours().hits() + s.counts().hits() + s.relations().hits();
        assertThat(s.allCorrect().hits() == 1).isEqualTo(hits == 4);
        return new Mistakes(s.objects().hits() == 1, s.colours().hits() == 1, s.counts().hits() == 1, s.relations().hits() == 1);
    }

    private static Colour other(Colour colour) {
        return colour == Colour.RED ? Colour.BLUE : Colour.RED;
    }

    @Test
    void wantsAsManyPicturesAsCaptions() {
        assertThatThrownBy(() -> WorldScores.of(SCENES, List.of())).hasMessage("0 pictures for 300 captions");
    }
}
