package io.sfumato.models.parti;

import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Parti's enlargement after the tokenizer (Yu et al. 2022, 2.1): residual layers that are wide before each ReLU (WDSR, Yu et al. 2018),
 * then pixels shuffled into place, added to the picture as bicubic interpolation enlarges it. Twice, or four times in two rounds. The
 * names are this project's own.
 */
public final class SuperResolution {
    /**
     * @param layers residual ones of each round
     * @param wide   times {@code width}, before a ReLU
     * @param rounds of doubling
     */
    public record Config(int layers, int width, int wide, int rounds) {
        public Config {
            if (layers < 1 || width < 1 || wide < 1 || rounds < 1) {
                throw new IllegalArgumentException("layers " + layers + ", width " + width + ", wide " + wide + " and rounds " + rounds
                        + " must be at least 1");
            }
        }

        /** 256 to 512 pixels, about 15 million parameters. */
        public static Config twice() {
            return new Config(12, 128, 4, 1);
        }

        /** 256 to 1024 pixels, about 30 million. */
        public static Config fourTimes() {
            return new Config(12, 128, 4, 2);
        }

        public int factor() {
            return 1 << rounds;
        }
    }

    private final List<Doubling> rounds = new ArrayList<>();

    public SuperResolution(Weights w, Config c) {
        for (int i = 0; i < c.rounds; i++) {
            rounds.add(new Doubling(w.sub("rounds").sub("" + i), c));
        }
    }

    /** Pictures (B, 3, H, W) in [0, 1] to (B, 3, H * factor, W * factor), about [0, 1]. */
    public Tensor forward(Tensor x) {
        for (Doubling round : rounds) {
            x = round.forward(x);
        }
        return x;
    }

    private static final class Doubling {
        private final Conv2d in;
        private final List<Residual> layers = new ArrayList<>();
        private final Conv2d out;

        Doubling(Weights w, Config c) {
            in = new Conv2d(w.sub("in"), 3, c.width, 3);
            for (int i = 0; i < c.layers; i++) {
                layers.add(new Residual(w.sub("layers").sub("" + i), c));
            }
            out = new Conv2d(w.sub("out"), c.width, 12, 3);
        }

        Tensor forward(Tensor x) {                                                          // (B, 3, H, W)
            try (var scope = new Scope()) {
                Tensor h = in.forward(x);
                for (Residual layer : layers) {
                    h = layer.forward(h);
                }
                Tensor bicubic = Functional.upsampleBicubic(x, 2 * x.size(2), 2 * x.size(3));
                return scope.keep(bicubic.add(shuffle(out.forward(h))));
            }
        }

        /** Each four channels become a square of four pixels. */
        private static Tensor shuffle(Tensor x) {                                           // (B, 12, H, W)
            long b = x.size(0), h = x.size(2), w = x.size(3);
            return x.reshape(b, 3, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, 3, 2 * h, 2 * w);
        }
    }

    private static final class Residual {
        private final Conv2d up;
        private final Conv2d down;

        Residual(Weights w, Config c) {
            up = new Conv2d(w.sub("up"), c.width, (long) c.wide * c.width, 3);
            down = new Conv2d(w.sub("down"), (long) c.wide * c.width, c.width, 3);
        }

        Tensor forward(Tensor x) {
            try (var scope = new Scope()) {
                return scope.keep(x.add(down.forward(up.forward(x).relu())));
            }
        }
    }
}
