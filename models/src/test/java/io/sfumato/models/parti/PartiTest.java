package io.sfumato.models.parti;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
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
import org.junit.jupiter.api.Test;

/** Parti has no public weights to be compared with: its sizes are the paper's, and cached steps give what the whole gives. */
class PartiTest {
    private static final Parti.Config TINY = new Parti.Config(1, 4, 12, 20, 3, 9, 5, 7, 4, 1);

    /** Table 1: attention and feed-forward matrices alone, without embeddings, biases and norms. */
    @Test
    void publishedSizes() {
        assertThat(matrices(Parti.Config.parti350M())).isBetween(345_000_000L, 355_000_000L);
        assertThat(matrices(Parti.Config.parti750M())).isBetween(745_000_000L, 760_000_000L);
        assertThat(matrices(Parti.Config.parti3B())).isBetween(2_950_000_000L, 3_050_000_000L);
        assertThat(matrices(Parti.Config.parti20B())).isBetween(19_900_000_000L, 20_500_000_000L);
        Parti.Config largest = Parti.Config.parti20B();
        assertThat(List.of(largest.encoderLayers(), largest.decoderLayers(), largest.width(), largest.mlp(), largest.heads()))
                .containsExactly(16, 64, 4096, 16384, 64);
        assertThat(largest.length()).isEqualTo(1024);
    }

    private static long matrices(Parti.Config config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new Parti(weights, config);
            return weights.parameters().entrySet().stream().filter(e -> e.getKey().contains(".layers.") && e.getValue().dim() == 2)
                    .mapToLong(e -> e.getValue().numel()).sum();
        }
    }

    static Tensor stepByStep(Parti parti, Tensor read, Parti.Memory memory, long rows) {
        List<Tensor> logits = new ArrayList<>();
        try (KvCache cache = parti.cache(rows, memory)) {
            for (int i = 0; i < read.size(1); i++) {
                logits.add(parti.decode(read.narrow(1, i, 1), i, memory, cache::layer));
            }
            return Tensor.cat(1, logits.toArray(Tensor[]::new));
        }
    }

    @Test
    void cachedIsAsAtOnceAndCandidatesShareTheText() {
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            Parti parti = new Parti(fresh, TINY);
            Tensor ids = Tensor.of(3, 4, 1, 0, 0, 0, 0, 0, 0, 0).view(2, 5);        // the second text is empty
            Tensor codes = rng.randint(0, 7, 2, 15);
            Tensor read = Tensor.cat(1, Tensor.of(TINY.start(), TINY.start()).view(2, 1), codes);
            Parti.Memory memory = parti.memory(ids);
            Tensor whole = parti.decode(read, 0, memory, i -> Past.NONE).detach();
            assertThat(whole.shape()).containsExactly(2, 16, 7);
            Fixture.assertClose("cached", stepByStep(parti, read, memory, 2).detach(), whole, 1e-5);
            Tensor twice = stepByStep(parti, read.repeatInterleave(2, 0), memory.repeated(2), 4).detach();
            Fixture.assertClose("candidates", twice.narrow(0, 3, 1), whole.narrow(0, 1, 1), 1e-5);
            Fixture.assertNothingIsLeft(() -> stepByStep(parti, read, memory, 2));
        }
    }

    @Test
    void layersButEachFourthSeeWhatIsNear() {
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            Parti.Config near = new Parti.Config(1, 1, 12, 20, 3, 9, 5, 7, 4, 1);
            Parti parti = new Parti(fresh, near);
            Parti.Memory memory = parti.memory(Tensor.of(3, 4, 1, 2, 5).view(1, 5));
            Tensor codes = rng.randint(0, 7, 1, 16), other = codes.clone();
            other.select(1, 1).copy_(codes.select(1, 1).eq(0).to(DType.I64));
            // Place 15 is row 3, column 3: it does not see place 1, which place 2 does.
            Tensor a = parti.decode(codes, 0, memory, i -> Past.NONE).detach(), b = parti.decode(other, 0, memory, i -> Past.NONE)
                    .detach();
            assertThat(a.select(1, 15).equal(b.select(1, 15))).isTrue();
            assertThat(a.select(1, 0).equal(b.select(1, 0))).isTrue();
            assertThat(a.select(1, 2).equal(b.select(1, 2))).isFalse();
        }
    }

    @Test
    void gradientsReachAllParameters() {
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            Parti parti = new Parti(fresh, TINY);
            Parti.Memory memory = parti.memory(Tensor.of(3, 4, 1, 2, 0, 0, 0, 0, 0, 0).view(2, 5));
            Fixture.assertGradientsReachAll(new TreeMap<>(fresh.parameters()), parti.decode(rng.randint(0, 8, 2, 16), 0, memory,
                    i -> Past.NONE));
        }
    }

    @Test
    void enlargesToTwiceAndFourTimesTheSize() {
        try (var scope = new Scope(); var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            SuperResolution four = new SuperResolution(fresh, new SuperResolution.Config(1, 4, 2, 2));
            Tensor x = rng.rand(1, 3, 5, 6);
            assertThat(four.forward(x).shape()).containsExactly(1, 3, 20, 24);
            Fixture.assertNothingIsLeft(() -> four.forward(x));
            Fixture.assertGradientsReachAll(fresh.parameters(), four.forward(x));
        }
        assertThat(count(SuperResolution.Config.twice())).isBetween(14_000_000L, 16_000_000L);
        assertThat(count(SuperResolution.Config.fourTimes())).isBetween(28_000_000L, 32_000_000L);
        assertThatIllegalArgumentException().isThrownBy(() -> new SuperResolution.Config(0, 4, 2, 1))
                .withMessage("layers 0, width 4, wide 2 and rounds 1 must be at least 1");
    }

    private static long count(SuperResolution.Config config) {
        try (Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new SuperResolution(weights, config);
            return weights.count();
        }
    }

    @Test
    void wrongConfigsAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Parti.Config(1, 1, 10, 20, 3, 9, 5, 7, 4, 1))
                .withMessage("width 10 must be a multiple of heads 3; encoder_layers 1, decoder_layers 1 and mlp 20 at least 1");
        assertThatIllegalArgumentException().isThrownBy(() -> new Parti.Config(1, 1, 12, 20, 3, 9, 5, 0, 4, 1))
                .withMessage("vocabulary 9 must be 2 or more, text_length 5, codes 0 and grid 4 1 or more, near 1 0 or more");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Parti.Config.of(Fixture.json("{'encoder_layers': 1.5}")))
                .withMessage("test: key 'encoder_layers' is 1.5, where a whole number is wanted");
    }
}
