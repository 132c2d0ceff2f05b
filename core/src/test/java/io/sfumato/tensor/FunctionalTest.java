package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.LiveObjects;
import io.sfumato.io.SafeTensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The fast paths of inference against the plain ones that training takes; known answers. */
class FunctionalTest {
    private final Scope scope = new Scope();
    private final Rng rng = new Rng(3);

    @AfterEach
    void close() {
        rng.close();
        scope.close();
    }

    @Test
    void linearIsTheSameInInferenceAsInTraining() {
        for (long[] shape : new long[][] {{32, 16}, {3, 50, 20}, {2, 1, 40, 33}, {31, 16}, {5, 8}, {1, 24}, {24}, {2, 2, 24}}) {
            long in = shape[shape.length - 1];
            for (long out : new long[] {16, 45, 3}) {
                Tensor x = rng.randn(shape), weight = rng.randn(out, in), bias = rng.randn(out);
                equal(1e-5, () -> Functional.linear(x, weight, bias));
                equal(1e-5, () -> Functional.linear(x, weight));
                equal(1e-5, () -> Functional.linear(Tensor.cat(-1, x, x).narrow(-1, 0, in), weight, bias));
                equal(0.02, () -> Functional.linear(x.to(DType.BF16), weight.to(DType.BF16), bias.to(DType.BF16)));
            }
        }
    }

    @Test
    void shufflesChannelsIntoPixels() {
        Tensor x = Tensor.of(new float[] {1, 2, 10, 20, 100, 200, 1000, 2000}, 1, 4, 1, 2);
        Tensor shuffled = Functional.pixelShuffle(x, 2);
        assertThat(shuffled.shape()).containsExactly(1, 1, 2, 4);
        assertThat(shuffled.toFloats()).containsExactly(1, 10, 2, 20, 100, 1000, 200, 2000);
    }

    @Test
    void linearRefusesOtherWidthsInInferenceToo() {
        try (var noGrad = new NoGrad()) {
            assertThatThrownBy(() -> Functional.linear(Tensor.ones(64, 20), Tensor.ones(16, 40)))
                    .hasMessageStartingWith("mat1 and mat2 shapes cannot be multiplied (64x20 and 40x16)");
        }
    }

    @Test
    void aLittleHalfPrecisionAttendsInFloat32() {
        Tensor q = rng.randn(2, 3, 20, 8).to(DType.BF16), k = rng.randn(2, 3, 11, 8).to(DType.BF16), v = rng.randn(2, 3, 11, 8).to(DType.BF16);
        Tensor exact = Functional.attention(q.to(DType.F32), k.to(DType.F32), v.to(DType.F32), false);
        assertThat(Functional.attention(q, k, v, false).equal(exact.to(DType.BF16))).isTrue();
        Tensor mask = rng.randn(20, 11).to(DType.BF16);
        Tensor masked = Functional.attention(q.to(DType.F32), k.to(DType.F32), v.to(DType.F32), mask.to(DType.F32));
        assertThat(Functional.attention(q, k, v, mask).equal(masked.to(DType.BF16))).isTrue();
    }

    /** Several groups of heads, rows that are not a multiple of a block's, strange strides, and masks for all and for each. */
    @Test
    void halfPrecisionAttendsByEitherKernel() {
        for (long[] n : new long[][] {{2, 3, 600, 2000, 8}, {1, 4, 1100, 300, 16}, {2, 4, 300, 300, 40}}) {
            Tensor q = rng.randn(n[0], n[2], n[1], n[4]).to(DType.BF16).transpose(1, 2);
            Tensor k = rng.randn(n[0], n[1], n[3] + 7, n[4]).to(DType.BF16).narrow(2, 3, n[3]);
            Tensor v = rng.randn(n[0], n[3], n[1], n[4]).to(DType.BF16).transpose(1, 2);
            Tensor wideQ = q.to(DType.F32), wideK = k.to(DType.F32), wideV = v.to(DType.F32);
            try (var noGrad = new NoGrad()) {
                assertNear(Functional.attention(q, k, v, false), Functional.attention(wideQ, wideK, wideV, false));
                assertNear(BlockedAttention.of(q, k, v, null), Functional.attention(wideQ, wideK, wideV, false));
                Tensor hole = Tensor.arange(n[3]).lt(5).where(Tensor.full(Double.NEGATIVE_INFINITY, 1, n[3]), Tensor.zeros(1, n[3]));
                for (Tensor mask : List.of(rng.randn(n[2], n[3]), rng.randn(n[0], 1, n[2], n[3]), rng.randn(1, n[1], n[2], n[3]), hole)) {
                    Tensor half = mask.to(DType.BF16);
                    Tensor wanted = Functional.attention(wideQ, wideK, wideV, half.to(DType.F32));
                    assertNear(Functional.attention(q, k, v, half), wanted);
                    assertNear(BlockedAttention.of(q, k, v, half.expand(n[0], n[1], n[2], n[3])), wanted);
                }
                if (n[2] == n[3]) {
                    assertNear(Functional.attention(q, k, v, true), Functional.attention(wideQ, wideK, wideV, true));
                }
            }
        }
    }

    private static void assertNear(Tensor half, Tensor exact) {
        assertThat(half.dtype()).isEqualTo(DType.BF16);
        assertThat(half.shape()).isEqualTo(exact.shape());
        assertThat(half.to(DType.F32).sub(exact).norm().item() / exact.norm().item()).isLessThan(0.008);
    }

    @Test
    void interpolatesAsPyTorch() {
        try (SafeTensors golden = SafeTensors.open(Path.of("src/test/resources/golden/interpolate/golden.safetensors"))) {
            Tensor x = golden.get("x");
            assertThat(golden.names()).hasSize(25);
            for (String name : golden.names()) {
                if (!name.equals("x")) {
                    boolean antialias = name.contains("_antialias");
                    Tensor expected = golden.get(name);
                    Interpolation kind = Interpolation.valueOf(name.replaceAll("[._].*", "").replace('-', '_').toUpperCase(Locale.ROOT));
                    Tensor made = Functional.interpolate(x, expected.size(2), expected.size(3), kind, antialias);
                    assertThat(made.sub(expected).abs().amax(false).item()).as(name).isLessThanOrEqualTo(2e-6);
                }
            }
        }
    }

    private static void equal(double tolerance, Supplier<Tensor> f) {
        long before = LiveObjects.settled();
        try (var inner = new Scope()) {
            Tensor plain = f.get().to(DType.F32);
            try (var noGrad = new NoGrad()) {
                Tensor fast = f.get().to(DType.F32);
                assertThat(fast.shape()).isEqualTo(plain.shape());
                assertThat(fast.sub(plain).abs().amax(false).item() / plain.abs().amax(false).item()).isLessThan(tolerance);
            }
        }
        assertThat(Scope.live()).isEqualTo(before);
    }
}
