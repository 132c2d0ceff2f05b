package io.sfumato.models.vae;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;

class StripMapTest {
    @Test
    void stripsAreAsThinAsTheHeaviestMapBehindThemAsks() {
        try (var scope = new Scope(); var rng = new Rng(1)) {
            Tensor x = rng.randn(1, 64, 40, 10);
            long[] most = {0};
            StripMap map = StripMap.of(x, new StripMap.Limits(4 * 64 * 10 * 4, Long.MAX_VALUE)).after(1, 1, rows -> {
                most[0] = Math.max(most[0], rows.size(2));
                return rows.narrow(1, 0, 1);
            });
            Tensor out = Tensor.zeros(1, 1, 40, 10);
            map.into(out);
            assertThat(out.equal(x.narrow(1, 0, 1))).isTrue();
            assertThat(most[0]).isEqualTo(4 + 2);
        }
    }
}
