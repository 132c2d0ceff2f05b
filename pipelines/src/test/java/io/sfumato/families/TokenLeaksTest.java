package io.sfumato.families;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.Golden;
import io.sfumato.LiveObjects;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.TextToImage;
import io.sfumato.tensor.Scope;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Drawing leaves nothing behind outside the heap: not the cache of keys and values, nor a token. */
class TokenLeaksTest {
    @ParameterizedTest
    @ValueSource(strings = {"kakao/config.yaml", "amused/model/model_index.json"})
    void nothingIsLeft(String file) {
        try (TextToImage model = TextToImage.load(Golden.file(file).getParent().toString())) {
            Options o = model.defaults().withSteps(3).withCount(2);
            model.generate(Prompt.of("a cat"), o);
            long before = LiveObjects.settled();
            for (int i = 0; i < 3; i++) {
                model.generate(Prompt.of("a cat"), o.withSeed(i));
            }
            assertThat(Scope.live()).isEqualTo(before);
        }
    }
}
