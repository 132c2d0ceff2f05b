package io.sfumato.training.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class WorldConfigTest {
    private static WorldConfig of(int size, List<String> nouns, List<Double> kinds, double styled) {
        return new WorldConfig(size, nouns, 1, kinds, List.of(1.0), 4, 0.5, 0, 0, List.of(), List.of(), styled, 0);
    }

    @Test
    void noBackgroundsMeansAll() {
        assertThat(of(64, List.of(), List.of(1.0), 0).backgrounds()).containsExactly(Background.values());
    }

    @Test
    void refusesWhatCannotBeDrawn() {
        assertThatThrownBy(() -> of(8, List.of(), List.of(1.0), 0)).hasMessage("The world's size must be 16 to 512, got 8");
        assertThatThrownBy(() -> of(64, List.of("apple"), List.of(1.0), 0))
                .hasMessage("The world's nouns must be none (for all) or two or more different ones, got [apple]");
        assertThatThrownBy(() -> of(64, List.of(), List.of(0.5, 0.4), 0))
                .hasMessage("The shares 'kinds' of the world must be 1 to 4 numbers of 0 or more that sum to 1, got [0.5, 0.4]");
        assertThatThrownBy(() -> of(64, List.of(), List.of(1.0), 0.1))
                .hasMessage("The share 'styled' of scenes is 0.1, but no styles are given");
        assertThatThrownBy(() -> of(64, List.of(), List.of(1.0), 1.5))
                .hasMessage("The share 'styled' of the world must be 0 to 1, got 1.5");
    }

    @Test
    void pluralsOfSynonyms() {
        assertThat(List.of(Kind.plural("bunny"), Kind.plural("cup of coffee"), Kind.plural("bus"), Kind.plural("toy"),
                Kind.plural("policeman")))
                .containsExactly("bunnies", "cups of coffee", "buses", "toys", "policemen");
        assertThat(Kind.withArticle("hourglass", true)).isEqualTo("an hourglass");
        assertThat(Kind.withArticle("red apple", true)).isEqualTo("a red apple");
        assertThat(Kind.withArticle("cherries", false)).isEqualTo("cherries");
    }
}
