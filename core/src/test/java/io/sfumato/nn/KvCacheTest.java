package io.sfumato.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.LiveObjects;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KvCacheTest {
    @Test
    void tokenByTokenIsTheSameAsAtOnceAndCandidatesShareAPrompt() {
        try (var scope = new Scope(); var rng = new Rng(1); KvCache cache = new KvCache(1, 3, 2, 4, 7, Tensor.zeros(1))) {
            Tensor x = rng.randn(1, 7, 8);
            Tensor whole = Attention.decode(x, x, x, 2, Past.NONE);
            Tensor prompt = x.narrow(1, 0, 4);
            List<Tensor> parts = new ArrayList<>(List.of(Attention.decode(prompt, prompt, prompt, 2, cache.layer(0))));
            assertThat(parts.get(0).shape()).containsExactly(1, 4, 8);
            for (int i = 4; i < 7; i++) {
                Tensor token = x.narrow(1, i, 1).expand(3, -1, -1).contiguous();
                parts.add(Attention.decode(token, token, token, 2, cache.layer(0)).narrow(0, 2, 1));
            }
            assertThat(cache.length()).isEqualTo(7);
            assertThat(Tensor.cat(1, parts.toArray(Tensor[]::new)).toDoubles()).containsExactly(whole.toDoubles(), within(1e-6));
        }
    }

    @Test
    void whatDoesNotFitIsNamed() {
        try (var scope = new Scope(); KvCache cache = new KvCache(1, 4, 2, 4, 3, Tensor.zeros(1))) {
            Tensor x = Tensor.zeros(4, 2, 8), three = Tensor.zeros(3, 1, 8);
            assertThatIllegalArgumentException().isThrownBy(() -> Attention.decode(three, three, three, 2, cache.layer(0)))
                    .withMessage("1 tokens of 3 rows after 0 do not fit a cache of 4 rows for 3 tokens");
            Attention.decode(x, x, x, 2, cache.layer(0));
            assertThatIllegalArgumentException().isThrownBy(() -> Attention.decode(x, x, x, 2, cache.layer(0)))
                    .withMessage("2 tokens at once after 2: one is wanted");
        }
        long before = LiveObjects.settled();
        try (var scope = new Scope(); KvCache cache = new KvCache(2, 4, 2, 4, 3, Tensor.zeros(1))) {
            assertThat(cache.length()).isZero();
        }
        assertThat(Scope.live()).isEqualTo(before);
    }
}
