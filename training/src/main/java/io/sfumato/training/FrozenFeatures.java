package io.sfumato.training;

import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Tensor;
import java.util.List;

/**
 * How different two pictures look to a small frozen network of random weights: LPIPS (Zhang et al. 2018) without weights that anyone has
 * to have. Random convolutions see edges and textures, no things.
 */
public final class FrozenFeatures implements PictureDistance {
    private static final long SEED = 1;

    private final Weights weights;
    private final List<Conv2d> layers;

    public FrozenFeatures() {
        try (var rng = new Rng(SEED)) {
            weights = Weights.init(rng, Device.CPU);
            layers = List.of(new Conv2d(weights.sub("0"), 3, 16, 3), new Conv2d(weights.sub("1"), 16, 32, 3),
                    new Conv2d(weights.sub("2"), 32, 32, 3));
            weights.parameters().values().forEach(p -> p.requiresGrad_(false).mul_(2.4));
        }
    }

    /** The mean squared distance of normalised features, summed over layers. */
    @Override
    public Tensor distance(Tensor a, Tensor b) {
        Tensor sum = Tensor.zeros();
        for (Conv2d layer : layers) {
            a = layer.forward(a).relu();
            b = layer.forward(b).relu();
            sum = sum.add(unit(a).sub(unit(b)).square().sum(false, 1).mean());
            if (a.size(2) > 1 && a.size(3) > 1) {
                a = Functional.avgPool2d(a, 2);
                b = Functional.avgPool2d(b, 2);
            }
        }
        return sum;
    }

    private static Tensor unit(Tensor x) {
        return x.div(x.square().sum(true, 1).add(1e-10).sqrt());
    }

    @Override
    public void close() {
        weights.close();
    }
}
