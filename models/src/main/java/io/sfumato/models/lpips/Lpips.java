package io.sfumato.models.lpips;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * How different two pictures look (Zhang et al. 2018, 3, version 0.1): features of VGG16 at five depths, each of length one at each place,
 * squared differences weighed by channel. VGG16's names are torchvision's, those of the weights the lpips package's.
 */
public final class Lpips {
    private static final int[] CONVOLUTIONS = {2, 2, 3, 3, 3};
    private static final float[] SHIFT = {-0.030f, -0.088f, -0.188f};
    private static final float[] SCALE = {0.458f, 0.448f, 0.450f};
    private static final double EPS = 1e-10;

    /** @param widths channels at the five depths */
    public record Config(List<Integer> widths) {
        public Config {
            widths = List.copyOf(widths);
            if (widths.size() != CONVOLUTIONS.length || widths.stream().anyMatch(w -> w < 1)) {
                throw new IllegalArgumentException("widths " + widths + ": " + CONVOLUTIONS.length + " of 1 or more are wanted");
            }
        }

        /** The published one. */
        public static Config vgg16() {
            return new Config(List.of(64, 128, 256, 512, 512));
        }

        /** Reads the widths from VGG16's tensors. */
        public static Config of(TensorSource vgg) {
            List<Integer> widths = new ArrayList<>();
            for (int i = 0, index = 0; i < CONVOLUTIONS.length; index += 2 * CONVOLUTIONS[i] + 1, i++) {
                String name = "features." + index + ".weight";
                if (!vgg.names().contains(name)) {
                    throw new CheckpointException(vgg.description() + ": no VGG16 of torchvision: there is no " + name);
                }
                widths.add(Math.toIntExact(vgg.shape(name)[0]));
            }
            return new Config(widths);
        }
    }

    private final List<List<Conv2d>> groups = new ArrayList<>();
    private final List<Tensor> weights = new ArrayList<>();

    /**
     * @param vgg    VGG16, of which the convolutions are asked for
     * @param linear how much each channel counts, (1, width, 1, 1) at each depth
     */
    public Lpips(Weights vgg, Weights linear, Config c) {
        int in = SHIFT.length, index = 0;
        for (int i = 0; i < CONVOLUTIONS.length; i++) {
            List<Conv2d> group = new ArrayList<>();
            for (int j = 0; j < CONVOLUTIONS[i]; j++) {
                group.add(new Conv2d(vgg.sub("features").sub("" + index), in, c.widths.get(i), 3));
                in = c.widths.get(i);
                index += 2;
            }
            index++;
            groups.add(group);
            weights.add(linear.get("lin" + i + ".model.1.weight", Weights.Init.ONES, 1, in, 1, 1));
        }
    }

    /** Reads both files, each checked against the config; the classifier of VGG16 is left alone. */
    public static Lpips load(Weights vgg, Weights linear, Config config) {
        return vgg.build(v -> linear.build(l -> new Lpips(v, l, config), name -> false), name -> name.startsWith("classifier."));
    }

    /** The distance of each of the pictures (B, 3, H, W) in [0, 1], 16 pixels a side or more, to its counterpart: (B). */
    public Tensor forward(Tensor a, Tensor b) {
        try (var scope = new Scope()) {
            a = scaled(a);
            b = scaled(b);
            Tensor sum = Tensor.zeros(a.size(0));
            for (int i = 0; i < groups.size(); i++) {
                a = features(i, a);
                b = features(i, b);
                Tensor difference = unit(a).sub(unit(b)).square();                           // (B, C, h, w)
                sum = sum.add(difference.mul(weights.get(i)).sum(false, 1).mean(false, 1, 2));
            }
            return scope.keep(sum);
        }
    }

    private static Tensor scaled(Tensor x) {
        return x.mul(2).sub(1).sub(Tensor.of(SHIFT, 1, SHIFT.length, 1, 1)).div(Tensor.of(SCALE, 1, SCALE.length, 1, 1));
    }

    private Tensor features(int i, Tensor x) {
        x = i == 0 ? x : Functional.maxPool2d(x, 2);
        for (Conv2d convolution : groups.get(i)) {
            x = convolution.forward(x).relu();
        }
        return x;
    }

    // Where nothing is seen the length is 0, and its root would have no gradient.
    private static Tensor unit(Tensor x) {
        return x.div(x.square().sum(true, 1).add(EPS * EPS).sqrt().add(EPS));
    }
}
