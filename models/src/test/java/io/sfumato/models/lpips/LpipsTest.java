package io.sfumato.models.lpips;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.Golden;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The lpips package's distances and gradients, on a VGG16 of other widths. */
class LpipsTest {
    private static final Path HERE = Golden.file("lpips/golden.safetensors").getParent();

    @Test
    void distancesAndGradientsAreThePackages() {
        try (var scope = new Scope(); SafeTensors golden = SafeTensors.open(HERE.resolve("golden.safetensors"));
                TensorSource vgg = TensorSource.open(HERE.resolve("vgg16-tiny.pth"));
                TensorSource linear = TensorSource.open(HERE.resolve("vgg.pth"));
                Weights v = Weights.load(vgg, DType.F32, Device.CPU); Weights l = Weights.load(linear, DType.F32, Device.CPU)) {
            Lpips.Config config = Lpips.Config.of(vgg);
            assertThat(config.widths()).containsExactly(4, 6, 8, 10, 12);
            Lpips lpips = Lpips.load(v, l, config);
            Tensor a = golden.get("a").clone().requiresGrad_(true), b = golden.get("b");
            Tensor distance = lpips.forward(a, b);
            Fixture.assertClose("distance", distance.detach(), golden.get("distance"), 1e-5);
            distance.sum().backward();
            Fixture.assertClose("gradient", a.grad().narrow(0, 0, 2), golden.get("gradient"), 1e-5);
            Fixture.assertNothingIsLeft(() -> lpips.forward(b, b));
            Tensor same = b.clone().requiresGrad_(true);
            lpips.forward(same, b).sum().backward();
            assertThat(same.grad().abs().amax(false).item()).as("no gradient where nothing differs").isZero();
            assertThat(golden.get("distance").toFloats()[2]).isZero();
        }
    }

    @Test
    void publishedSizes() {
        try (Weights vgg = Weights.load(Fixture.empty(), DType.F32, Device.CPU);
                Weights linear = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            new Lpips(vgg, linear, Lpips.Config.vgg16());
            assertThat(vgg.count()).isEqualTo(14_714_688);
            assertThat(linear.count()).isEqualTo(1472);
            assertThat(vgg.parameters()).containsKeys("features.0.weight", "features.28.bias").hasSize(26);
        }
    }

    @Test
    void whatIsNoVggIsNamed() {
        try (TensorSource linear = TensorSource.open(HERE.resolve("vgg.pth"))) {
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Lpips.Config.of(linear))
                    .withMessage(HERE.resolve("vgg.pth") + ": no VGG16 of torchvision: there is no features.0.weight");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new Lpips.Config(List.of(1, 2)))
                .withMessage("widths [1, 2]: 5 of 1 or more are wanted");
    }
}
