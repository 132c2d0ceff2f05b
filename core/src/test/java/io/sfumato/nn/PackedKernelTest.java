package io.sfumato.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.LiveObjects;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Engine;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Convolutions with kernels that were laid out for oneDNN beside those with plain ones. */
class PackedKernelTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"F32, 3, 5, 3, 1, 1", "F32, 64, 32, 3, 2, 1", "F32, 48, 96, 1, 1, 0", "F32, 96, 4, 3, 1, 1", "F32, 32, 32, 4, 4, 0",
        "BF16, 64, 32, 3, 1, 1", "BF16, 5, 40, 3, 2, 0", "BF16, 48, 96, 1, 1, 0"})
    void isTheSameConvolution(DType type, int in, int out, int size, int stride, int padding) {
        try (var scope = new Scope(); var noGrad = new NoGrad(); var rng = new Rng(3)) {
            try (SafeTensors file = written(rng, in, out, size); Weights plain = Weights.load(file, type, Device.CPU);
                    Weights packed = Weights.load(file, type, Device.CPU)) {
                var a = new Conv2d(plain.sub("conv"), in, out, size, stride, padding);
                var b = packed.forRunning().build(w -> new Conv2d(w.sub("conv"), in, out, size, stride, padding), name -> false);
                assertThat(packed.count()).isEqualTo(plain.count());
                for (int[] shape : new int[][] {{1, 16, 16}, {2, 8, 12}, {3, 9, 5}, {1, 64, 64}}) {
                    Tensor x = rng.randn(shape[0], in, shape[1], shape[2]).to(type);
                    Tensor y = a.forward(x).to(DType.F32), z = b.forward(x).to(DType.F32);
                    assertThat(z.shape()).isEqualTo(y.shape());
                    // Sums of up to 576 products in another order, of which bfloat16 keeps 8 bits.
                    double bound = (type == DType.F32 ? 1e-5 : 0x1p-7) * y.abs().amax(false).item();
                    assertThat(z.sub(y).abs().amax(false).item()).isLessThanOrEqualTo(bound);
                    assertThat(b.forward(x.channelsLast()).equal(b.forward(x))).isTrue();
                }
                long before = LiveObjects.settled();
                try (var inner = new Scope()) {
                    b.forward(rng.randn(1, in, 16, 16).to(type));
                }
                assertThat(LiveObjects.settled()).isEqualTo(before);
            }
        }
    }

    private SafeTensors written(Rng rng, int in, int out, int size) {
        SafeTensors.write(folder.resolve("conv.safetensors"),
                Map.of("conv.weight", rng.randn(out, in, size, size), "conv.bias", rng.randn(out)), Map.of());
        return SafeTensors.open(folder.resolve("conv.safetensors"));
    }

    @Test
    void kernelsAreNotPackedUnlessTheyRunOnly() {
        assertThat(Engine.hasOneDnn(DType.F32)).isTrue();
        assertThat(Engine.hasOneDnn(DType.F16)).isFalse();
        try (var scope = new Scope(); var rng = new Rng(3); SafeTensors file = written(rng, 4, 6, 3);
                Weights half = Weights.load(file, DType.F16, Device.CPU); Weights fresh = Weights.init(rng, Device.CPU)) {
            new Conv2d(half.forRunning().sub("conv"), 4, 6, 3);
            assertThat(half.parameters().get("conv.weight").to(DType.F32).toFloats()).hasSize(216);
            new Conv2d(fresh.forRunning().sub("conv"), 4, 6, 3).forward(rng.randn(1, 4, 8, 8)).sum().backward();
            assertThat(fresh.parameters().get("conv.weight").grad().toFloats()).hasSize(216);
        }
    }
}
