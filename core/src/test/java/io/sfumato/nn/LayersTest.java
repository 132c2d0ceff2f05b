package io.sfumato.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.Golden;
import io.sfumato.LiveObjects;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.PackedMatrix;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each layer's output and gradients against PyTorch's, from golden/nn. */
class LayersTest {
    private static final double TOLERANCE = 2e-5;    // float32 sums of up to 200 products, in another order

    private final Scope scope = new Scope();
    private final SafeTensors golden = SafeTensors.open(Golden.file("nn/golden.safetensors"));
    private final Weights weights = Weights.load(golden, DType.F32, Device.CPU);

    @AfterEach
    void close() {
        weights.close();
        golden.close();
        scope.close();
    }

    @Test
    void activationsInPlaceAreTheSame() {
        try (var rng = new Rng(5)) {
            for (Activation activation : Activation.values()) {
                Tensor x = rng.randn(40);
                Tensor y = x.clone().requiresGrad_(true);
                Tensor z = x.clone().requiresGrad_(true);
                activation.apply(y.mul(2)).sum().backward();
                activation.apply_(z.mul(2)).sum().backward();
                assertThat(z.grad().equal(y.grad())).as(activation.name()).isTrue();
                assertThat(activation.apply_(x.clone()).equal(activation.apply(x))).as(activation.name()).isTrue();
            }
        }
    }

    @Test
    void linear() {
        check("linear", new Linear(weights.sub("linear"), 5, 4)::forward);
        check("linear_no_bias", Linear.withoutBias(weights.sub("linear_no_bias"), 5, 4)::forward);
    }

    @Test
    void linearInEightBitsIsWithinHalfAStep() {
        Tensor x = golden.get("linear.x");
        Tensor exact = new Linear(weights.sub("linear"), 5, 4).forward(x);
        try (Weights again = Weights.load(golden, DType.F32, Device.CPU)) {
            Tensor y = new Linear(again.inEightBits().sub("linear"), 5, 4).forward(x);
            assertThat(again.parameters().get("linear.weight").dtype()).isEqualTo(DType.I8);
            // Each number is off by half a step at most, and a step is a 127th of its row's largest.
            Tensor bound = Functional.linear(x.abs(), weights.parameters().get("linear.weight").abs().amax(true, 1).mul(0.5 / 127).expand(4, 5));
            assertThat(y.sub(exact).abs().sub(bound).amax(false).item()).isLessThanOrEqualTo(1e-6);
            assertThat(y.sub(exact).abs().amax(false).item()).isPositive();
        }
    }

    @Test
    void linearMultipliedInEightBitsIsNear() {
        try (var rng = new Rng(4); Weights fresh = Weights.init(rng, Device.CPU)) {
            Tensor x = rng.randn(3, 40, 64).mul(Tensor.of(new double[] {0.1, 1, 30}, 3, 1, 1).to(DType.F32));
            Tensor weight = rng.randn(48, 64), bias = rng.randn(48);
            for (Tensor[] b : new Tensor[][] {{bias}, {}}) {
                try (PackedMatrix packed = PackedMatrix.of(weight, b)) {
                    Tensor y = packed.forward(x);
                    Tensor exact = b.length == 0 ? Functional.linear(x, weight) : Functional.linear(x, weight, bias);
                    for (int i = 0; i < 3; i++) {
                        Tensor off = y.select(0, i).sub(exact.select(0, i));
                        // Steps of a 127th of the largest number of a row of weights, and of at least a 127th of the span of the inputs.
                        assertThat(off.norm().item()).isLessThan(0.03 * exact.select(0, i).norm().item()).isPositive();
                        assertThat(packed.forward(x.narrow(0, i, 1)).equal(y.narrow(0, i, 1))).as("alone as in a batch").isTrue();
                    }
                    Tensor row = x.select(0, 1).select(0, 7);
                    assertThat(packed.forward(row).equal(packed.forward(row.unsqueeze(0)).squeeze(0))).isTrue();
                    Runnable thrice = () -> {
                        for (int i = 0; i < 3; i++) {
                            try (var scope = new Scope(); PackedMatrix again = PackedMatrix.of(weight, b)) {
                                again.forward(x);
                            }
                        }
                    };
                    thrice.run();
                    long before = LiveObjects.settled();
                    thrice.run();
                    assertThat(LiveObjects.settled()).isEqualTo(before);
                }
            }
        }
    }

    @Test
    void weightsThatMultiplyInEightBitsAreTheSameLayer() {
        Tensor x = golden.get("linear.x");
        try (Weights again = Weights.load(golden, DType.F32, Device.CPU)) {
            Linear layer = new Linear(again.multipliedInEightBits().sub("linear"), 5, 4);
            Tensor exact = new Linear(weights.sub("linear"), 5, 4).forward(x);
            assertThat(layer.forward(x).sub(exact).norm().item()).isLessThan(0.03 * exact.norm().item()).isPositive();
            assertThat(again.parameters()).containsOnlyKeys("linear.bias");
            assertThat(new Linear(again.multipliedInEightBits().exact().sub("linear"), 5, 4).forward(x).equal(exact)).isTrue();
        }
    }

    @Test
    void rmsNorm() {
        try (var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU)) {
            Tensor x = Tensor.of(new float[] {3, -4, 0, 0, 1e-3f, 0, 0, 0}, 2, 4);
            Tensor y = new RmsNorm(fresh.sub("norm"), 4, 1e-6).forward(x).detach();
            assertThat(y.toDoubles()).containsExactly(new double[] {1.2, -1.6, 0, 0, 1e-3 / Math.sqrt(1.25e-6), 0, 0, 0}, within(1e-6));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 0", "3, 1, 1", "3, 2, 1", "3, 2, 0", "4, 4, 0", "5, 1, 2"})
    void conv2d(long kernel, long stride, long padding) {
        String name = "conv_" + kernel + "_" + stride + "_" + padding;
        check(name, new Conv2d(weights.sub(name), 3, 4, kernel, stride, padding)::forward);
    }

    @Test
    void conv2dKeepsTheSizeByDefault() {
        check("conv_5_1_2", new Conv2d(weights.sub("conv_5_1_2"), 3, 4, 5)::forward);
    }

    @Test
    void groupNorm() {
        check("group_norm", new GroupNorm(weights.sub("group_norm"), 3, 6, 1e-6)::forward);
        assertThatIllegalArgumentException().isThrownBy(() -> new GroupNorm(weights.sub("group_norm"), 4, 6, 1e-6))
                .withMessage("norm_num_groups 4 does not divide 6 channels");
    }

    @Test
    void layerNorm() {
        check("layer_norm", new LayerNorm(weights.sub("layer_norm"), 7, 1e-5)::forward);
    }

    @Test
    void embedding() {
        Embedding embedding = new Embedding(weights.sub("embedding"), 6, 3, 0.02);
        check("embedding", embedding::forward);
        assertThat(embedding.first(2).toFloats()).isEqualTo(golden.get("embedding.weight").narrow(0, 0, 2).toFloats());
    }

    // Runs the layer on CASE.x and compares y, and the gradients of sum(y * g) for x and whatever parameters the layer took.
    private void check(String name, Function<Tensor, Tensor> layer) {
        Tensor x = golden.get(name + ".x").clone();
        boolean differentiable = x.dtype().isFloating();
        x.requiresGrad_(differentiable);
        var parameters = weights.parameters();
        parameters.values().forEach(p -> p.requiresGrad_(true));
        Tensor y = layer.apply(x);
        close(name + ".y", y);
        y.mul(golden.get(name + ".g")).sum().backward();
        if (differentiable) {
            close(name + ".grad_x", x.grad());
        }
        parameters.forEach((key, p) -> {
            if (key.startsWith(name + ".")) {
                close(name + ".grad_" + key.substring(name.length() + 1), p.grad());
            }
        });
    }

    private void close(String key, Tensor actual) {
        assertThat(actual.shape()).as(key).isEqualTo(golden.get(key).shape());
        assertThat(actual.toDoubles()).as(key).containsExactly(golden.get(key).toDoubles(), within(TOLERANCE));
    }

    @Test
    void attention() {
        attention("attention", qkv -> Functional.attention(qkv[0], qkv[1], qkv[2], false));
        attention("attention_causal", qkv -> Functional.attention(qkv[0], qkv[1], qkv[2], true));
        attention("attention_mask", qkv -> Functional.attention(qkv[0], qkv[1], qkv[2], golden.get("attention_mask.mask")));
    }

    private void attention(String name, Function<Tensor[], Tensor> attention) {
        String[] keys = {"q", "k", "v"};
        Tensor[] qkv = new Tensor[3];
        for (int i = 0; i < 3; i++) {
            qkv[i] = golden.get(name + "." + keys[i]).clone().requiresGrad_(true);
        }
        Tensor y = attention.apply(qkv);
        close(name + ".y", y);
        y.mul(golden.get(name + ".g")).sum().backward();
        for (int i = 0; i < 3; i++) {
            close(name + ".grad_" + keys[i], qkv[i].grad());
        }
    }

    @ParameterizedTest
    @CsvSource({"8, sin, 0", "8, sin, 1", "8, cos, 0", "8, cos, 1", "9, sin, 0", "9, cos, 1", "320, sin, 1", "320, cos, 0"})
    void timestepEmbedding(int width, String order, int shift) {
        Tensor t = golden.get("timestep.t");
        Tensor e = TimestepEmbedding.sinusoid(t, width, order.equals("cos"), shift);
        assertThat(e.dtype()).isEqualTo(DType.F32);
        assertThat(e.shape()).containsExactly(5, width);
        // An ulp of a frequency near 1, times t = 999, is 6e-5.
        assertThat(e.toDoubles()).containsExactly(golden.get("timestep." + width + "_" + order + "_" + shift).toDoubles(), within(1.2e-4));
    }

    @Test
    void timestepEmbeddingTakesWholeNumbersToo() {
        assertThat(TimestepEmbedding.sinusoid(Tensor.of(1, 999), 8, true, 0).toFloats())
                .isEqualTo(TimestepEmbedding.sinusoid(Tensor.of(new float[] {1, 999}, 2), 8, true, 0).toFloats());
    }

    @Test
    void freshLayersBeginAsInPyTorch() {
        try (var rng = new Rng(4); Weights fresh = Weights.init(rng, Device.CPU)) {
            new Linear(fresh.sub("linear"), 64, 100);
            new Conv2d(fresh.sub("conv"), 8, 50, 3);
            new LayerNorm(fresh.sub("norm"), 5, 1e-5);
            new GroupNorm(fresh.sub("group"), 2, 4, 1e-5);
            new Embedding(fresh.sub("table"), 500, 20, 0.02);
            uniform(fresh, "linear.weight", 1 / 8.0);
            uniform(fresh, "linear.bias", 1 / 8.0);
            uniform(fresh, "conv.weight", 1 / Math.sqrt(72));
            assertThat(fresh.parameters().get("norm.weight").toFloats()).containsOnly(1);
            assertThat(fresh.parameters().get("norm.bias").toFloats()).containsOnly(0);
            assertThat(fresh.parameters().get("group.weight").toFloats()).containsOnly(1);
            assertThat(fresh.parameters().get("table.weight").std(false, 0, 1).item()).isCloseTo(0.02, within(0.001));
            assertThat(fresh.parameters().values()).allMatch(Tensor::requiresGrad);
        }
    }

    private static void uniform(Weights weights, String name, double bound) {
        Tensor x = weights.parameters().get(name);
        assertThat(x.detach().abs().amax(false, 0).amax(false).item()).isLessThanOrEqualTo(bound * 1.000001);
        assertThat(x.detach().amax(false, 0).amax(false).item()).isGreaterThan(0.9 * bound);
        assertThat(x.detach().mean().item()).isCloseTo(0, within(0.15 * bound));
    }
}
