package io.sfumato.models.dalle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.models.dalle.Dalle.Kind;
import io.sfumato.nn.KvCache;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** DALL-E has no public weights to be compared with: its size is the paper's, masks are counted, cached steps give what the whole gives. */
class DalleTest {
    private static final Dalle.Config TINY = new Dalle.Config(6, 12, 3, 9, 5, 7, 4, 3);

    @Test
    void publishedSize() {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new Dalle(weights, Dalle.Config.published());
            long blocks = weights.parameters().entrySet().stream().filter(e -> e.getKey().startsWith("blocks."))
                    .mapToLong(e -> e.getValue().numel()).sum();
            assertThat(Math.round(blocks / 1e8)).isEqualTo(121);
        }
    }

    @Test
    void layersTakeTurns() {
        Dalle.Config c = Dalle.Config.published();
        assertThat(IntStream.range(0, 7).mapToObj(c::kind)).containsExactly(Kind.ROW, Kind.COLUMN, Kind.ROW, Kind.ROW, Kind.ROW,
                Kind.COLUMN,
                Kind.ROW);
        assertThat(c.kind(63)).isEqualTo(Kind.CONVOLUTION);
    }

    /** What code (row, column) of the picture sees, as places of the picture. */
    private static List<Integer> seen(Kind kind, int row, int column) {
        int at = TINY.textLength() + row * TINY.grid() + column;
        try (var scope = new Scope()) {
            float[] mask = Dalle.mask(TINY, kind, at, 1).toFloats();
            for (int i = 0; i < TINY.textLength(); i++) {
                assertThat(mask[i]).as("the text is seen").isZero();
            }
            return IntStream.range(TINY.textLength(), mask.length).filter(i -> mask[i] == 0).map(i -> i - TINY.textLength()).boxed()
                    .toList();
        }
    }

    @Test
    void masksAreThoseOfTheKinds() {
        assertThat(seen(Kind.ROW, 2, 1)).containsExactly(5, 6, 7, 8, 9);
        assertThat(seen(Kind.COLUMN, 2, 1)).containsExactly(1, 5, 8, 9);
        assertThat(seen(Kind.CONVOLUTION, 2, 1)).containsExactly(4, 5, 6, 8, 9);
        assertThat(seen(Kind.ROW, 0, 0)).containsExactly(0);
        try (var scope = new Scope()) {
            float[] mask = Dalle.mask(TINY, Kind.ROW, 0, 3).toFloats();
            assertThat(mask).containsExactly(0, Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY, 0, 0, Float.NEGATIVE_INFINITY, 0, 0, 0);
        }
    }

    @Test
    void cachedIsAsAtOnce() {
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            Dalle dalle = new Dalle(fresh, TINY);
            Tensor ids = Tensor.of(3, 4, 1, 0, 0).view(1, 5), codes = rng.randint(0, 7, 1, 16);
            Tensor whole = dalle.forward(Tensor.cat(1, dalle.text(ids), dalle.image(codes, 0)), 0, i -> Past.NONE);
            Tensor wanted = dalle.imageLogits(whole.narrow(1, 4, 16)).detach();
            Fixture.assertClose("cached", stepByStep(dalle, ids, codes).detach(), wanted, 1e-5);
            Fixture.assertNothingIsLeft(() -> stepByStep(dalle, ids, codes));
        }
    }

    private static Tensor stepByStep(Dalle dalle, Tensor ids, Tensor codes) {
        Dalle.Config c = dalle.config();
        List<Tensor> logits = new ArrayList<>();
        Tensor text = dalle.text(ids);
        try (KvCache cache = new KvCache(c.layers(), 1, c.heads(), c.width() / c.heads(), c.textLength() + c.length(), text)) {
            logits.add(dalle.imageLogits(dalle.forward(text, 0, cache::layer).narrow(1, c.textLength() - 1L, 1)));
            for (int i = 0; i < codes.size(1) - 1; i++) {
                logits.add(dalle.imageLogits(dalle.forward(dalle.image(codes.narrow(1, i, 1), i), c.textLength() + i, cache::layer)));
            }
            return Tensor.cat(1, logits.toArray(Tensor[]::new));
        }
    }

    @Test
    void aFreshOneGuessesAndGradientsReachAllParameters() {
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            Dalle dalle = new Dalle(fresh, TINY);
            Tensor ids = Tensor.of(3, 4, 1, 0, 0, 2, 0, 0, 0, 0).view(2, 5), codes = rng.randint(0, 7, 2, 16);
            Tensor loss = dalle.loss(ids, codes);
            assertThat(loss.item()).isBetween(1.5, 2.6);        // ln 7 = 1.95 and ln 9 = 2.2
            Tensor x = dalle.forward(Tensor.cat(1, dalle.text(ids), dalle.image(codes, 0)), 0, i -> Past.NONE);
            Fixture.assertGradientsReachAll(new TreeMap<>(fresh.parameters()), Tensor.cat(-1, dalle.imageLogits(x), dalle.textLogits(x)));
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Dalle.Config(6, 10, 3, 9, 5, 7, 4, 3))
                .withMessage("width 10 must be a multiple of heads 3, and layers 6 at least 1");
        assertThatIllegalArgumentException().isThrownBy(() -> new Dalle.Config(6, 12, 3, 9, 5, 7, 4, 4))
                .withMessage("vocabulary 9 must be 2 or more, text_length 5, codes 7 and grid 4 1 or more, window 4 odd");
    }
}
