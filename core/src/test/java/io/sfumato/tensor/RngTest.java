package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.Golden;
import io.sfumato.io.SafeTensors;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RngTest {
    private static final double TOLERANCE = 1e-6;    // vectorised log and cos differ by an ulp between CPUs

    private final SafeTensors golden = SafeTensors.open(Golden.file("rng/golden.safetensors"));

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 42, 1234, 2147483647L, 4294967301L, 9007199254740993L})
    void drawsWhatPyTorchDraws(long seed) {
        for (int n : new int[] {1, 2, 5, 15, 16, 17, 31, 32, 33, 64, 100}) {
            try (var scope = new Scope(); var rng = new Rng(seed)) {
                check(seed, "randn_" + n, rng.randn(n));
                check(seed, "randn_" + n + "_next_rand3", rng.rand(3));
            }
        }
        try (var scope = new Scope(); var rng = new Rng(seed)) {
            check(seed, "randn_shape", rng.randn(1, 4, 8, 8));
            check(seed, "randn_shape_second", rng.randn(1, 4, 8, 8));
            check(seed, "randn_short_after_long", Tensor.stack(0, rng.randn(3), rng.randn(3), rng.randn(3)));
        }
        Tensor weights = golden.get("multinomial_weights");
        first(seed, "randn_f64", rng -> rng.randn(DType.F64, 20));
        first(seed, "randn_short_f64", rng -> rng.randn(DType.F64, 5));
        first(seed, "randn_half_as_f32", rng -> rng.randn(DType.F16, 20).to(DType.F32));
        first(seed, "randn_bf16_as_f32", rng -> rng.randn(DType.BF16, 20).to(DType.F32));
        first(seed, "rand_5", rng -> rng.rand(5));
        first(seed, "rand_16", rng -> rng.rand(16));
        first(seed, "rand_37", rng -> rng.rand(37));
        first(seed, "rand_f64", rng -> rng.rand(DType.F64, 9));
        first(seed, "randint_0_1000", rng -> rng.randint(0, 1000, 24));
        first(seed, "randint_neg", rng -> rng.randint(-7, 5, 24));
        first(seed, "randint_2pow40", rng -> rng.randint(0, 1L << 40, 8));
        first(seed, "randperm_10", rng -> rng.randperm(10));
        first(seed, "randperm_100", rng -> rng.randperm(100));
        first(seed, "multinomial_replacement", rng -> rng.multinomial(weights, 9, true));
        first(seed, "multinomial_distinct", rng -> rng.multinomial(weights, 6, false));
        first(seed, "multinomial_one", rng -> rng.multinomial(weights, 1, false));
        first(seed, "normal_mean2_std3", rng -> rng.normal(2, 3, 3, 7));
        first(seed, "uniform_m1_p1", rng -> rng.uniform(-1, 1, 11));
        first(seed, "bernoulli_0.3", rng -> rng.bernoulli(Tensor.full(0.3, 20)));
        first(seed, "exponential", rng -> rng.exponential(DType.F32, 12));
    }

    private void first(long seed, String key, Function<Rng, Tensor> draw) {
        try (var scope = new Scope(); var rng = new Rng(seed)) {
            check(seed, key, draw.apply(rng));
        }
    }

    private void check(long seed, String key, Tensor drawn) {
        Tensor expected = golden.get("seed" + seed + "/" + key);
        assertThat(drawn.dtype()).as(key).isEqualTo(expected.dtype());
        assertThat(drawn.shape()).as(key).isEqualTo(expected.shape());
        if (expected.dtype() == DType.I64) {
            assertThat(drawn.toLongs()).as(key).isEqualTo(expected.toLongs());
        } else {
            assertThat(drawn.toDoubles()).as(key).containsExactly(expected.toDoubles(), within(TOLERANCE));
        }
    }

    @Test
    void knowsItsSeed() {
        try (var rng = new Rng(-5); var scope = new Scope()) {
            rng.randn(3);
            assertThat(rng.seed()).isEqualTo(-5);
        }
    }

    @Test
    void goesOnFromARestoredState() {
        try (var scope = new Scope(); var rng = new Rng(-5); var other = new Rng(6)) {
            rng.randn(3);
            other.restore(rng.state());
            assertThat(other.randn(20).toFloats()).isEqualTo(rng.randn(20).toFloats());
        }
    }

    @Test
    void outlivesTheScopeItIsMadeIn() {
        Rng rng;
        try (var scope = new Scope()) {
            rng = new Rng(7);
        }
        try (rng; var same = new Rng(7); var scope = new Scope()) {
            assertThat(rng.randn(4).toFloats()).isEqualTo(same.randn(4).toFloats());
        }
    }

    @Test
    void leavesNothingBehind() {
        long before = Scope.live();
        for (int i = 0; i < 100; i++) {
            try (var scope = new Scope(); var rng = new Rng(i)) {
                rng.randn(2, 2);
                rng.bernoulli(rng.rand(3));
                rng.restore(rng.state());
            }
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(before);
    }
}
