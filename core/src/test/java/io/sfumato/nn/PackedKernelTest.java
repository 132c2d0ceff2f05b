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
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Convolutions with kernels that are laid out for oneDNN beside those with plain ones. */
class PackedKernelTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"F32, 3, 5, 3, 1, 1", "F32, 64, 32, 3, 2, 1", "F32, 48, 96, 1, 1, 0", "F32, 96, 4, 3, 1, 1", "F32, 32, 32, 4, 4, 0",
        "BF16, 64, 32, 3, 1, 1", "BF16, 5, 40, 3, 2, 0", "BF16, 48, 96, 1, 1, 0"})
    void isTheSameConvolution(DType type, int in, int out, int size, int stride, int padding) {
        try (var scope = new Scope(); var noGrad = new NoGrad(); var rng = new Rng(3);
                SafeTensors file = written(rng, in, out, size); Weights plain = Weights.load(file, type, Device.CPU)) {
            var wanted = new Conv2d(plain.sub("conv"), in, out, size, stride, padding);
            List<Tensor> inputs = Stream.of(new int[] {1, 16, 16}, new int[] {2, 8, 12}, new int[] {3, 9, 5}, new int[] {1, 64, 64})
                    .map(s -> rng.randn(s[0], in, s[1], s[2]).to(type)).toList();
            for (Tensor first : inputs) {
                try (Weights packed = Weights.load(file, type, Device.CPU)) {
                    Conv2d conv = packed.forRunning().build(w -> new Conv2d(w.sub("conv"), in, out, size, stride, padding), name -> false);
                    for (Tensor x : List.of(first, first.channelsLast(), inputs.get(0), inputs.get(1), first)) {
                        Tensor y = wanted.forward(x), residual = rng.randn(y.shape()).to(type);
                        requireNear(type, conv.forward(x), y);
                        requireNear(type, conv.plus(x, residual), y.add(residual));
                    }
                    long before = LiveObjects.settled();
                    try (var inner = new Scope()) {
                        conv.forward(first);
                    }
                    assertThat(LiveObjects.settled()).isEqualTo(before);
                }
            }
        }
    }

    /** Sums of up to 576 products in another order, of which bfloat16 keeps 8 bits. */
    private static void requireNear(DType type, Tensor y, Tensor wanted) {
        assertThat(y.shape()).isEqualTo(wanted.shape());
        double most = (type == DType.F32 ? 1e-5 : 0x1p-7) * wanted.to(DType.F32).abs().amax(false).item();
        assertThat(y.to(DType.F32).sub(wanted.to(DType.F32)).abs().amax(false).item()).isLessThanOrEqualTo(most);
    }

    @Test
    void threadsMayMeetAtOneKernel() throws InterruptedException {
        try (var scope = new Scope(); var noGrad = new NoGrad(); var rng = new Rng(3); SafeTensors file = written(rng, 64, 32, 3);
                Weights plain = Weights.load(file, DType.F32, Device.CPU)) {
            var wanted = new Conv2d(plain.sub("conv"), 64, 32, 3);
            List<Tensor> inputs = List.of(rng.randn(1, 64, 16, 16), rng.randn(2, 64, 8, 8));
            List<Tensor> answers = inputs.stream().map(wanted::forward).toList();
            for (int round = 0; round < 20; round++) {
                try (Weights packed = Weights.load(file, DType.F32, Device.CPU)) {
                    var conv = new Conv2d(packed.forRunning().sub("conv"), 64, 32, 3);
                    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
                    List<Thread> threads = IntStream.range(0, 2).mapToObj(i -> new Thread(() -> {
                        try (var inner = new Scope(); var alsoNoGrad = new NoGrad()) {
                            for (int call = 0; call < 5; call++) {
                                requireNear(DType.F32, conv.forward(inputs.get(i)), answers.get(i));
                            }
                        } catch (Throwable e) {
                            failures.add(e);
                        }
                    })).toList();
                    threads.forEach(Thread::start);
                    for (Thread thread : threads) {
                        thread.join();
                    }
                    assertThat(failures).isEmpty();
                }
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
                Weights full = Weights.load(file, DType.F32, Device.CPU); Weights half = Weights.load(file, DType.F16, Device.CPU); Weights fresh = Weights.init(rng, Device.CPU)) {
            new Conv2d(full.forRunning().sub("conv"), 4, 6, 3);
            assertThat(full.parameters()).containsOnlyKeys("conv.bias");
            new Conv2d(half.forRunning().sub("conv"), 4, 6, 3);
            assertThat(half.parameters().get("conv.weight").to(DType.F32).toFloats()).hasSize(216);
            new Conv2d(fresh.forRunning().sub("conv"), 4, 6, 3).forward(rng.randn(1, 4, 8, 8)).sum().backward();
            assertThat(fresh.parameters().get("conv.weight").grad().toFloats()).hasSize(216);
        }
    }
}
