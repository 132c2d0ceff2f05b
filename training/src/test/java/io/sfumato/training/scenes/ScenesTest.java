package io.sfumato.training.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ScenesTest {
    private static final ClipArt ART = ClipArt.load(Path.of("../bundled/src/main/resources/io/sfumato/bundled/clipart"));
    private static final Scenes SCENES = new Scenes(Scenes.Config.ofSize(64), ART);
    private static final int COUNT = 600;

    @Test
    void aSceneDependsOnItsSeedAlone() {
        var inOrder = LongStream.range(0, 40).mapToObj(SCENES::scene).toList();
        var inParallel = LongStream.range(0, 40).parallel().mapToObj(new Scenes(Scenes.Config.ofSize(64), ART)::scene).toList();
        for (int i = 0; i < 40; i++) {
            assertThat(inParallel.get(i).pixels()).isEqualTo(inOrder.get(i).pixels());
            assertThat(inParallel.get(i).caption()).isEqualTo(inOrder.get(i).caption());
            assertThat(inParallel.get(i).objects()).isEqualTo(inOrder.get(i).objects());
        }
        assertThat(SCENES.scene(Scenes.HELD_OUT).pixels()).isNotEqualTo(inOrder.get(0).pixels());
    }

    @Test
    void captionsUseTheVocabularyAndTheRightArticle() {
        var vocabulary = Scenes.vocabulary();
        for (int seed = 0; seed < COUNT; seed++) {
            var caption = SCENES.scene(seed).caption();
            assertThat(vocabulary).contains(caption.split(" "));
            assertThat(caption).doesNotContainPattern("\\ba [aeiou]").doesNotContainPattern("\\ban [^aeiou]");
        }
    }

    @Test
    void captionsNameEveryThingWithItsColour() {
        for (int seed = 0; seed < COUNT; seed++) {
            var scene = SCENES.scene(seed);
            for (var thing : scene.objects()) {
                var natural = thing.colour().equals(Scene.NATURAL);
                var phrase = natural ? thing.noun() : thing.colour() + " " + thing.noun();
                assertThat(" " + scene.caption() + " ").contains(" " + phrase + " ");
                assertThat(Scenes.nouns().get(thing.nounIndex())).isEqualTo(thing.noun());
                assertThat(natural || Scenes.coloursOf(thing.noun()).contains(thing.colour())).isTrue();
                assertThat(thing.colour()).isNotEqualTo(scene.background());
            }
        }
    }

    @Test
    void leftIsLeft() {
        int pairs = 0;
        for (int seed = 0; seed < COUNT; seed++) {
            var scene = SCENES.scene(seed);
            if (scene.objects().size() < 2) {
                continue;
            }
            pairs++;
            var left = scene.objects().get(0);
            var right = scene.objects().get(1);
            assertThat(left.box().right()).isLessThanOrEqualTo(right.box().left() + 1);
            int first = (scene.caption() + " ").indexOf(" " + left.noun() + " ");
            int second = (scene.caption() + " ").indexOf(" " + right.noun() + " ");
            if (scene.caption().contains(" left ")) {
                assertThat(first).as(scene.caption()).isLessThan(second);
            } else if (scene.caption().contains(" right ")) {
                assertThat(second).as(scene.caption()).isLessThan(first);
            }
        }
        assertThat((double) pairs / COUNT).isCloseTo(0.35, within(0.06));
    }

    @Test
    void allThatIsDrawnIsInsideTheBoxes() {
        for (int seed = 0; seed < COUNT; seed++) {
            var scene = SCENES.scene(seed);
            var pixels = scene.pixels();
            int[] drawn = new int[scene.objects().size()];
            for (int i = 0; i < 64 * 64; i++) {
                boolean plain = Arrays.equals(pixels, 3 * i, 3 * i + 3, pixels, 0, 3);
                boolean inAny = false;
                for (int k = 0; k < drawn.length; k++) {
                    var box = scene.objects().get(k).box();
                    boolean in = i % 64 >= box.left() && i % 64 < box.right() && i / 64 >= box.top() && i / 64 < box.bottom();
                    inAny |= in;
                    drawn[k] += in && !plain ? 1 : 0;
                }
                assertThat(plain || inAny).as("pixel %d of scene %d", i, seed).isTrue();
            }
            for (var thing : scene.objects()) {
                var box = thing.box();
                assertThat(box.left() >= 0 && box.top() >= 0 && box.right() <= 64 && box.bottom() <= 64).isTrue();
            }
            assertThat(Arrays.stream(drawn).min().getAsInt()).isGreaterThan(60);
        }
    }

    @Test
    void aRecolouredThingHasTheHueOfItsColour() {
        for (var noun : Noun.ALL) {
            var sprite = Sprite.of(ART.picture(noun.art()), noun.part()).within(64);
            for (var colour : noun.colours()) {
                var painted = new float[64 * 64 * 3];
                var unpainted = new float[64 * 64 * 3];
                sprite.draw(painted, 64, 0, 0, sprite.width(), sprite.height(), false, colour.rgb());
                sprite.draw(unpainted, 64, 0, 0, sprite.width(), sprite.height(), false, 0);
                var sum = new double[3];
                for (int i = 0; i < painted.length; i++) {
                    sum[i % 3] += painted[i] - unpainted[i];
                }
                double peak = Math.max(sum[0], Math.max(sum[1], sum[2]));
                var mean = Color.RGBtoHSB((int) (255 * sum[0] / peak), (int) (255 * sum[1] / peak), (int) (255 * sum[2] / peak), null);
                var named = Color.RGBtoHSB(colour.rgb() >> 16 & 255, colour.rgb() >> 8 & 255, colour.rgb() & 255, null);
                double turn = Math.abs(mean[0] - named[0]) * 360;
                boolean grey = named[1] < 0.1;
                assertThat(grey || Math.min(turn, 360 - turn) < 5).as("%s %s", colour, noun.word()).isTrue();
                assertThat(sum[0] + sum[1] + sum[2]).as("%s %s", colour, noun.word()).isGreaterThan(64 * 64 * 3);
            }
        }
    }

    @Test
    void theSharesOfTheConfigAreKept() {
        var plain = new Scenes(new Scenes.Config(32, 0, 0, 0), ART);
        var full = new Scenes(new Scenes.Config(32, 1, 1, 1), ART);
        for (int seed = 0; seed < 50; seed++) {
            assertThat(plain.scene(seed).objects()).singleElement().extracting(Scene.Thing::colour).isEqualTo(Scene.NATURAL);
            assertThat(plain.scene(seed).caption()).doesNotContain("background");
            assertThat(full.scene(seed).objects()).hasSize(2);
            assertThat(full.scene(seed).caption()).endsWith(full.scene(seed).background() + " background");
            assertThat(full.scene(seed).pixels()).hasSize(32 * 32 * 3);
        }
    }

    @Test
    void theWorldHoldsTheWordsOfTheFirstPrompt() {
        assertThat(Scenes.nouns()).contains("apple", "house").doesNotHaveDuplicates();
        assertThat(Scenes.coloursOf("apple")).contains("red");
        assertThat(Scenes.coloursOf("house")).contains("blue");
        assertThat(Scenes.vocabulary()).containsAll(Set.of("a", "red", "apple", "left", "of", "blue", "house"));
    }

    @Test
    void whatIsWrongIsSaid() {
        assertThatThrownBy(() -> Scenes.Config.ofSize(8)).hasMessage("Scenes are 16 to 256 pixels wide, got 8");
        assertThatThrownBy(() -> new Scenes.Config(64, 1.5, 0, 0)).hasMessage("The share 'pairs' of scenes must be 0 to 1, got 1.5");
        assertThatThrownBy(() -> new Scenes.Config(64, 0, Double.NaN, 0))
                .hasMessage("The share 'coloured' of scenes must be 0 to 1, got NaN");
        assertThatThrownBy(() -> SCENES.scene(-1)).hasMessage("A scene's seed must be 0 or more, got -1");
        assertThatThrownBy(() -> Scenes.coloursOf("yeti")).hasMessageStartingWith("No noun 'yeti' in the scenes; they are apple, ball");
        assertThatThrownBy(() -> new Scene(2, new byte[3], "", List.of(), "white"))
                .hasMessage("A scene of size 2 has 12 bytes, got 3");
    }
}
