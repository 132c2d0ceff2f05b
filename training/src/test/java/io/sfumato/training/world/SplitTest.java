package io.sfumato.training.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Scene.Group;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SplitTest {
    private static final ClipArt ART = ClipArt.load(Path.of("../bundled/src/main/resources/io/sfumato/bundled/clipart"));
    private static final World WORLD = new World(WorldConfig.sixty(16), ART);

    private static List<Scene> scenes(Split split, int count) {
        return LongStream.range(0, count).mapToObj(i -> WORLD.scene(split, i)).toList();
    }

    private static boolean hasUnseenPair(Scene scene) {
        return scene.groups().size() == 2 && Split.keepsBackPair(scene.groups().get(0).noun(), scene.groups().get(1).noun());
    }

    private static Set<String> coloured(List<Scene> scenes) {
        return scenes.stream().flatMap(s -> s.groups().stream()).filter(Group::hasColour).map(g -> g.colour() + " " + g.noun())
                .collect(Collectors.toSet());
    }

    @Test
    void trainingScenesHaveNothingThatIsKeptBack() {
        List<Scene> training = scenes(Split.TRAINING, 3000), unseen = scenes(Split.UNSEEN_COLOURS, 600);
        assertThat(training).noneMatch(SplitTest::hasUnseenPair);
        Set<String> seen = coloured(training);
        assertThat(unseen).allSatisfy(s -> assertThat(s.groups()).anyMatch(g -> !seen.contains(g.colour() + " " + g.noun())));
        World all = new World(WorldConfig.all(16), ART);
        assertThat(LongStream.range(0, 200).mapToObj(i -> all.scene(Split.UNSEEN_COLOURS, i)))
                .allMatch(s -> s.groups().stream().anyMatch(g -> g.hasColour() && Split.keepsBackColour(g.colour(), g.noun())));
        assertThat(scenes(Split.UNSEEN_PAIRS, 100)).allMatch(SplitTest::hasUnseenPair);
        assertThat(scenes(Split.HELD_OUT, 300)).noneMatch(SplitTest::hasUnseenPair);
    }

    @Test
    void aboutOneInEightIsKeptBack() {
        List<String> nouns = WORLD.nouns();
        long pairs = nouns.stream()
                .mapToLong(a -> nouns.stream().filter(b -> a.compareTo(b) < 0 && Split.keepsBackPair(a, b)).count()).sum();
        assertThat(pairs / (60 * 59 / 2.0)).isBetween(0.1, 0.15);
        assertThat(Split.keepsBackPair("apple", "car")).isEqualTo(Split.keepsBackPair("car", "apple"));
    }

    @Test
    void everyRelationHasSentencesThatAreKeptBackAndOthers() {
        for (List<String> templates : Stream.concat(Stream.of(Phrasings.ONE, Phrasings.BOTH), Phrasings.TWO.values().stream()).toList()) {
            List<String> kept = templates.stream().skip(1).filter(Split::keepsBackPhrasing).toList();
            assertThat(kept).isNotEmpty();
            assertThat(kept.size()).isLessThan(templates.size() / 2);
        }
    }

    @Test
    void unseenPhrasingsAreNotInTraining() {
        List<Pattern> kept = Stream.concat(Phrasings.ONE.stream().skip(1), Phrasings.TWO.get(Relation.LEFT_OF).stream().skip(1))
                .filter(Split::keepsBackPhrasing)
                .map(t -> Pattern.compile("(?i)" + t.replaceAll("%[12]\\$s", ".+").replace("{is}", "(is|are)") + ".*")).toList();
        // Of a narration any part might match.
        List<String> training = scenes(Split.TRAINING, 2000).stream().map(Scene::caption).filter(c -> !c.contains(". ")).toList();
        assertThat(training).noneMatch(c -> kept.stream().anyMatch(p -> p.matcher(c).matches()));
        List<String> single = scenes(Split.UNSEEN_PHRASINGS, 200).stream().filter(s -> s.groups().size() == 1).map(Scene::caption).toList();
        assertThat(single).isNotEmpty().allMatch(c -> kept.stream().anyMatch(p -> p.matcher(c).matches()));
    }

    @Test
    void unseenSynonymsAreNotInTraining() {
        List<Kind> kinds = Kind.of(ART.index(), WorldConfig.SIXTY, 1);
        List<String> kept = kinds.stream().flatMap(k -> k.synonyms().stream()).filter(Split::keepsBackSynonym).toList();
        assertThat(kept).isNotEmpty();
        List<Pattern> words = kept.stream().flatMap(k -> Stream.of(k, Kind.plural(k)))
                .map(k -> Pattern.compile("\\b" + k + "\\b")).toList();
        assertThat(scenes(Split.TRAINING, 2000)).noneMatch(s -> words.stream().anyMatch(w -> w.matcher(lower(s)).find()));
        assertThat(scenes(Split.UNSEEN_SYNONYMS, 200)).allMatch(s -> words.stream().anyMatch(w -> w.matcher(lower(s)).find()));
    }

    private static String lower(Scene scene) {
        return scene.caption().toLowerCase(Locale.ROOT);
    }

    @Test
    void aWorldWithoutASplitSaysSo() {
        World two = new World(new WorldConfig(16, List.of("penguin", "pizza"), 1, List.of(1.0), List.of(1.0), 1, 1, 0, 0, List.of(),
                List.of(), 0, 0), ART);
        assertThatThrownBy(() -> two.scene(Split.UNSEEN_PAIRS, 0)).hasMessage("The world has no scenes of split UNSEEN_PAIRS: none in 2000"
                + " tries; give it more nouns, kinds or colours");
        assertThatThrownBy(() -> WORLD.scene(Split.TRAINING, -1))
                .hasMessage("A scene's index must be 0 or more and less than 2^40, got -1");
    }
}
