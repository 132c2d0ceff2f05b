package io.sfumato;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.image.Image;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Different wishes, drawn together where they can be. */
class BatchTest {
    private static final BiPredicate<Prompt, Options> ALL = (prompt, o) -> true;
    private static final Options PLAIN = Options.defaults().withSize(32, 32).withSteps(4);
    private static TextToImage model;

    @BeforeAll
    static void load() {
        model = TextToImage.load(Golden.file("sd1/model").toString());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Wish wish(String text, Options options) {
        return new Wish(Prompt.of(text), options);
    }

    private static final List<Wish> WISHES = List.of(wish("a cat", PLAIN.withSeed(5)), wish("a dog", PLAIN.withSeed(2).withSize(48, 32)),
            new Wish(Prompt.of("a red apple").withNegative("green"), PLAIN.withSeed(900)), wish("a duck", PLAIN.withSeed(3).withCount(2)),
            wish("a hat", PLAIN.withSampler("Euler a").withSeed(1)), wish("a house", PLAIN.withSeed(4).withSize(48, 32)),
            new Wish(Prompt.of("a cat").withInit(Image.filled(32, 32, 0x3366cc)), PLAIN.withSeed(8).withStrength(0.5)));

    private static List<List<Integer>> places(List<Wish> wishes, BiPredicate<Prompt, Options> fits) {
        return Batch.plan(model, wishes, fits).stream().map(Batch::places).toList();
    }

    @Test
    void pictureLikeEachOtherAreDrawnTogether() {
        assertThat(places(WISHES, ALL)).containsExactly(List.of(0, 2, 3, 4), List.of(1, 6), List.of(5), List.of(7));
        Batch first = Batch.plan(model, WISHES, ALL).get(0);
        assertThat(first.prompts()).extracting(Prompt::text).containsExactly("a cat", "a red apple", "a duck", "a duck");
        assertThat(first.options().pictureSeeds()).containsExactly(5L, 900L, 3L, 4L);
    }

    @Test
    void aBatchIsNoLargerThanFits() {
        assertThat(places(WISHES, (prompt, o) -> o.count() <= 3)).containsExactly(List.of(0, 2, 3), List.of(1, 6), List.of(4), List.of(5),
                List.of(7));
        assertThat(places(WISHES, (prompt, o) -> false)).hasSize(8);
        assertThat(places(WISHES, (prompt, o) -> o.width() == 48)).contains(List.of(1, 6)).hasSize(7);
    }

    @Test
    void whatLooksAtTheWholeBatchIsDrawnAlone() {
        Options adaptive = PLAIN.withSampler("dpm adaptive");
        assertThat(places(List.of(wish("a", adaptive), wish("b", adaptive)), ALL)).containsExactly(List.of(0), List.of(1));
        Options shared = PLAIN.withSeeds(Options.Seeds.SHARED);
        assertThat(places(List.of(wish("a", shared.withCount(2)), wish("b", shared)), ALL)).containsExactly(List.of(0, 1), List.of(2));
    }

    @Test
    void everyPictureIsTheOneThatItIsAlone() {
        List<Image> together = model.generate(WISHES, 8, Listener.none());
        List<Image> alone = new ArrayList<>();
        for (Wish wish : WISHES) {
            for (int i = 0; i < wish.options().count(); i++) {
                alone.add(model.generate(wish.prompt(), wish.options().withSeed(wish.options().seed() + i)));
            }
        }
        assertThat(together).hasSameSizeAs(alone);
        for (int i = 0; i < alone.size(); i++) {
            byte[] expected = alone.get(i).toBytes(), drawn = together.get(i).toBytes();
            assertThat(together.get(i).toString()).isEqualTo(alone.get(i).toString());
            for (int k = 0; k < expected.length; k++) {
                assertThat(Math.abs((expected[k] & 0xff) - (drawn[k] & 0xff))).as("picture %d", i).isLessThanOrEqualTo(1);
            }
        }
    }

    @Test
    void seedsAreOneForEachPicture() {
        assertThatThrownBy(() -> model.generate(Prompt.of("a cat"), PLAIN.withPictureSeeds(List.of(1L, 2L)), Listener.none()))
                .isInstanceOf(IllegalArgumentException.class).hasMessage("2 picture seeds for 1 pictures: one for each is wanted");
    }

    @Test
    void aWishThatCannotBeFulfilledIsRefused() {
        assertThatThrownBy(() -> Batch.plan(model, List.of(wish("a", PLAIN.withEta(0.5))), ALL))
                .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("eta is not used by PNDMScheduler");
    }
}
