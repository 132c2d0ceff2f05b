package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.training.scenes.Scene;
import io.sfumato.training.scenes.Scenes;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CaptionsTest {
    private static final Scenes WORLD = World.of(16);

    @Test
    void singlesAreBalancedOverNouns() {
        List<Scene> scenes = Captions.singles(WORLD, 80);
        assertThat(scenes).hasSize(80).allSatisfy(scene -> assertThat(scene.objects()).hasSize(1));
        Map<String, Long> counts = scenes.stream().collect(Collectors.groupingBy(s -> s.objects().get(0).noun(), Collectors.counting()));
        assertThat(counts).hasSize(39);
        assertThat(counts.values()).allSatisfy(n -> assertThat(n).isBetween(2L, 3L));
    }

    @Test
    void singlesAreBalancedOverAFewNouns() {
        Scenes few = new Scenes(new Scenes.Config(16, 0.3, 0.6, 0.25, List.of("sun", "apple", "tree")), World.ART);
        assertThat(Captions.singles(few, 8)).extracting(s -> s.objects().get(0).noun()).hasSize(8)
                .containsOnly("sun", "apple", "tree").filteredOn("sun"::equals).hasSize(3);
    }

    @Test
    void pairsAndValidationHaveTheirNumberOfThings() {
        assertThat(Captions.pairs(WORLD, 7)).hasSize(7).allSatisfy(scene -> assertThat(scene.objects()).hasSize(2));
        assertThat(Captions.validation(WORLD, 7)).hasSize(7).allSatisfy(scene -> assertThat(scene.objects()).hasSize(1));
        assertThat(Captions.pairs(WORLD, 0)).isEmpty();
    }

    @Test
    void aLongerListOfPairsBeginsWithTheShorterOne() {
        assertThat(Captions.pairs(WORLD, 9).subList(0, 4).stream().map(Scene::caption))
                .isEqualTo(Captions.pairs(WORLD, 4).stream().map(Scene::caption).toList());
    }

    @Test
    void shuffledHoldsTheSameScenes() {
        List<Scene> scenes = Captions.singles(WORLD, 40);
        assertThat(Captions.shuffled(scenes)).containsExactlyInAnyOrderElementsOf(scenes).isNotEqualTo(scenes);
    }
}
