package io.sfumato.training.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.training.scenes.ClipArt;
import io.sfumato.training.world.Scene.Group;
import io.sfumato.training.world.Scene.Related;
import io.sfumato.training.world.Scene.Thing;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class WorldTest {
    private static final ClipArt ART = ClipArt.load(Path.of("../bundled/src/main/resources/io/sfumato/bundled/clipart"));
    private static final World SIXTY = new World(WorldConfig.sixty(32), ART);
    private static final World ALL = new World(WorldConfig.all(32), ART);

    @Test
    void theSixtyAreSixty() {
        assertThat(SIXTY.nouns()).hasSize(60).doesNotHaveDuplicates();
        assertThat(ALL.nouns()).hasSizeGreaterThan(250);
    }

    @Test
    void aSceneIsAFunctionOfItsSeed() {
        World again = new World(WorldConfig.all(32), ART);
        LongStream.range(0, 60).forEach(seed -> {
            Scene a = ALL.scene(seed), b = again.scene(seed);
            assertThat(a.pixels()).isEqualTo(b.pixels());
            assertThat(a.caption()).isEqualTo(b.caption());
            assertThat(a.things()).isEqualTo(b.things());
        });
        assertThat(ALL.scene(1).pixels()).isNotEqualTo(ALL.scene(2).pixels());
        assertThat(ALL.scene(Split.FIRST_HELD_OUT + 5).pixels()).isEqualTo(ALL.scene(Split.HELD_OUT, 5).pixels());
    }

    @Test
    void theTruthOfALargerSceneIsTheSame() {
        World large = new World(WorldConfig.all(64), ART);
        LongStream.range(0, 60).forEach(seed -> {
            assertThat(large.scene(seed).things()).isEqualTo(ALL.scene(seed).things());
            assertThat(large.scene(seed).caption()).isEqualTo(ALL.scene(seed).caption());
        });
    }

    @Test
    void thereAreAsManyThingsAsTheGroupsSayAndTheyLieInTheFrame() {
        scenes(ALL, 300).forEach(scene -> {
            for (int g = 0; g < scene.groups().size(); g++) {
                int group = g;
                assertThat(scene.things().stream().filter(t -> t.group() == group)).hasSize(scene.groups().get(g).count());
            }
            assertThat(scene.things()).allSatisfy(t -> assertThat(new Box(-0.001, -0.001, 1.001, 1.001).contains(t.box())).isTrue());
        });
    }

    @Test
    void theCaptionNamesEveryGroupWithItsCountAndColour() {
        scenes(SIXTY, 400).forEach(scene -> {
            for (Group group : scene.groups()) {
                if (group.hasColour()) {
                    assertThat(scene.caption().toLowerCase()).contains(group.colour());
                }
                if (group.count() > 1) {
                    assertThat(Phrasings.NUMBERS.get(group.count())).anyMatch(scene.caption().toLowerCase()::contains);
                }
            }
        });
    }

    @Test
    void whatIsSaidOfPlacesIsSoInThePicture() {
        List<Scene> told = scenes(ALL, 1200).stream().filter(s -> !s.said().isEmpty()).toList();
        assertThat(told).hasSizeGreaterThan(100);
        for (Scene scene : told) {
            Related said = scene.said().get(0);
            Box a = around(scene, said.subject()), b = around(scene, said.object());
            switch (said.relation()) {
                case LEFT_OF -> assertThat(a.centreX()).isLessThan(b.centreX());
                case RIGHT_OF -> assertThat(a.centreX()).isGreaterThan(b.centreX());
                case ABOVE, ON -> assertThat(a.centreY()).isLessThan(b.centreY());
                case BELOW -> assertThat(a.centreY()).isGreaterThan(b.centreY());
                case INSIDE -> assertThat(b.contains(a)).isTrue();
                case BEHIND -> assertThat(a.overlaps(b)).isTrue();
                case NEXT_TO -> assertThat(Math.abs(a.centreX() - b.centreX())).isGreaterThan(0.1);
            }
        }
        assertThat(told.stream().map(s -> s.said().get(0).relation()).distinct()).containsExactlyInAnyOrder(Relation.values());
    }

    @Test
    void aRedAppleIsRedAndLeftOfAGreenCar() {
        WorldConfig config = new WorldConfig(64, List.of("apple", "car"), 1, List.of(0.0, 1.0), List.of(1.0), 2, 1, 0, 0,
                List.of(Background.GRASS), List.of(), 0, 0);
        World world = new World(config, ART);
        Scene scene = LongStream.range(0, 20000).mapToObj(world::scene).filter(s -> s.groups().get(0).equals(apple("red"))
                && s.groups().get(1).noun().equals("car") && s.groups().get(1).colour().equals("green")
                && s.said().contains(new Related(0, Relation.LEFT_OF, 1))).findFirst().orElseThrow();
        Thing apple = scene.things().stream().filter(t -> t.group() == 0).findFirst().orElseThrow();
        Thing car = scene.things().stream().filter(t -> t.group() == 1).findFirst().orElseThrow();
        double[] ofApple = mean(scene, apple.box()), ofCar = mean(scene, car.box());
        assertThat(apple.box().right()).isLessThanOrEqualTo(car.box().left() + 0.04);
        assertThat(ofApple[0]).isGreaterThan(ofApple[2] + 40);
        assertThat(ofCar[1]).isGreaterThan(ofCar[0] + 40);
    }

    @Test
    void aNounThatIsNotThereIsNamed() {
        WorldConfig config = new WorldConfig(64, List.of("apple", "yeti"), 1, List.of(1.0), List.of(1.0), 2, 1, 0, 0, List.of(),
                List.of(), 0, 0);
        assertThatThrownBy(() -> new World(config, ART)).hasMessageStartingWith("No noun 'yeti' in the world; they are ant, beagle,");
    }

    private static Group apple(String colour) {
        return new Group("apple", colour, Size.MEDIUM, 1);
    }

    private static List<Scene> scenes(World world, int count) {
        return LongStream.range(0, count).mapToObj(world::scene).toList();
    }

    private static Box around(Scene scene, int group) {
        return Box.around(scene.things().stream().filter(t -> t.group() == group).map(Thing::box).toList());
    }

    /** Mean red, green and blue of the middle of a box. */
    private static double[] mean(Scene scene, Box box) {
        double[] sum = new double[3];
        int n = 0, size = scene.size();
        for (int y = (int) ((box.centreY() - box.height() / 5) * size); y < (box.centreY() + box.height() / 5) * size; y++) {
            for (int x = (int) ((box.centreX() - box.width() / 5) * size); x < (box.centreX() + box.width() / 5) * size; x++, n++) {
                for (int c = 0; c < 3; c++) {
                    sum[c] += scene.pixels()[(y * size + x) * 3 + c] & 255;
                }
            }
        }
        int count = n;
        return Arrays.stream(sum).map(s -> s / count).toArray();
    }
}
