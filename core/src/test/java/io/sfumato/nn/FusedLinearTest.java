package io.sfumato.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.LiveObjects;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Linear layers and what follows them in one pass, beside one operator after the other. */
class FusedLinearTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"F32, 32, 64", "F32, 20, 46", "F32, 40, 6", "F32, 5, 40", "F16, 32, 64", "BF16, 32, 64", "BF16, 20, 46", "BF16, 40, 6"})
    void computesTheSame(DType type, int in, int out) {
        try (var scope = new Scope(); var rng = new Rng(4); SafeTensors file = written(rng, in, out);
                Weights w = Weights.load(file, type, Device.CPU)) {
            var layer = new Linear(w.sub("linear"), in, out);
            for (long[] shape : List.of(new long[] {64, in}, new long[] {2, 50, in}, new long[] {1, 3, 7, in}, new long[] {3, in})) {
                Tensor x = rng.randn(shape).to(type), strided = Tensor.cat(-1, x, x).narrow(-1, 3, in);
                for (Tensor each : List.of(x, strided)) {
                    Tensor y = layer.forward(each);
                    Tensor residual = rng.randn(y.shape()).to(type);
                    Tensor[] halves = y.chunk(2, -1);
                    alike(type, y.add(residual), () -> layer.plus(each, residual));
                    alike(type, halves[0].mul(halves[1].gelu()), () -> layer.geglu(each));
                }
            }
        }
    }

    /** Both where gradients are wanted and where they are not. */
    private static void alike(DType type, Tensor wanted, Supplier<Tensor> fused) {
        requireNear(type, fused.get(), wanted);
        try (var noGrad = new NoGrad()) {
            requireNear(type, fused.get(), wanted);
        }
    }

    /** Half precision rounds between the operators, which one pass does not: two steps of its 8 or 11 bits. */
    private static void requireNear(DType type, Tensor y, Tensor wanted) {
        assertThat(y.shape()).isEqualTo(wanted.shape());
        assertThat(y.dtype()).isEqualTo(type);
        double most = (type == DType.F32 ? 1e-5 : type == DType.F16 ? 0x1p-9 : 0x1p-6) * wanted.to(DType.F32).abs().amax(false).item();
        assertThat(y.to(DType.F32).sub(wanted.to(DType.F32)).abs().amax(false).item()).isLessThanOrEqualTo(most);
    }

    @Test
    void gradientsFlowThroughBoth() {
        try (var scope = new Scope(); var rng = new Rng(4); Weights w = Weights.init(rng, Device.CPU)) {
            var layer = new Linear(w.sub("linear"), 32, 64);
            Tensor x = rng.randn(20, 32);
            layer.plus(x, rng.randn(20, 64)).sum().add(layer.geglu(x).sum()).backward();
            assertThat(w.parameters().get("linear.weight").grad().shape()).containsExactly(64, 32);
        }
    }

    @Test
    void layersWithoutBiasAndIn8BitsAddTheSame() {
        try (var scope = new Scope(); var noGrad = new NoGrad(); var rng = new Rng(4); SafeTensors file = written(rng, 32, 64)) {
            Tensor x = rng.randn(20, 32), residual = rng.randn(20, 64);
            for (UnaryOperator<Weights> way : List.<UnaryOperator<Weights>>of(Weights::inEightBits, Weights::multipliedInEightBits)) {
                try (Weights w = Weights.load(file, DType.F32, Device.CPU)) {
                    var layer = new Linear(way.apply(w).sub("linear"), 32, 64);
                    assertThat(layer.plus(x, residual).equal(layer.forward(x).add(residual))).isTrue();
                    Tensor[] halves = layer.forward(x).chunk(2, -1);
                    assertThat(layer.geglu(x).equal(halves[1].gelu().mul(halves[0]))).isTrue();
                }
            }
            try (Weights w = Weights.load(file, DType.F32, Device.CPU)) {
                Linear layer = Linear.withoutBias(w.sub("linear"), 32, 64);
                assertThat(layer.plus(x, residual).equal(layer.forward(x).add(residual))).isTrue();
            }
        }
    }

    @Test
    void refusesOtherWidths() {
        try (var scope = new Scope(); var noGrad = new NoGrad(); var rng = new Rng(4); Weights w = Weights.init(rng, Device.CPU)) {
            var layer = new Linear(w.sub("linear"), 32, 64);
            assertThatThrownBy(() -> layer.plus(rng.randn(40, 30), rng.randn(40, 64)))
                    .hasMessageStartingWith("mat1 and mat2 shapes cannot be multiplied (40x30 and 32x64)");
            assertThatThrownBy(() -> layer.geglu(rng.randn(40, 30)))
                    .hasMessageStartingWith("mat1 and mat2 shapes cannot be multiplied (40x30 and 32x64)");
        }
    }

    @Test
    void nothingIsLeftBehind() {
        try (var scope = new Scope(); var noGrad = new NoGrad(); var rng = new Rng(4); SafeTensors file = written(rng, 32, 64);
                Weights w = Weights.load(file, DType.F32, Device.CPU)) {
            var layer = new Linear(w.sub("linear"), 32, 64);
            Tensor x = rng.randn(20, 32), residual = rng.randn(20, 64);
            long before = LiveObjects.settled();
            for (int i = 0; i < 5; i++) {
                try (var inner = new Scope()) {
                    layer.plus(x, residual);
                    layer.geglu(x);
                }
            }
            assertThat(LiveObjects.settled()).isEqualTo(before);
        }
    }

    private SafeTensors written(Rng rng, int in, int out) {
        SafeTensors.write(folder.resolve("linear.safetensors"),
                Map.of("linear.weight", rng.randn(out, in), "linear.bias", rng.randn(out)), Map.of());
        return SafeTensors.open(folder.resolve("linear.safetensors"));
    }
}
