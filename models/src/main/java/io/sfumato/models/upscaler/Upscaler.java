package io.sfumato.models.upscaler;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Makes a picture larger in one step: residual blocks without norms at the small size (Lim et al. 2017, EDSR, 3), then each feature
 * becomes a square of pixels (Shi et al. 2016, 3.2). What it answers is added to the picture repeated.
 */
public final class Upscaler {
    /** @param scale how many times larger each side becomes */
    public record Config(int channels, int width, int blocks, int scale) {
        public Config {
            if (channels < 1 || width < 1 || blocks < 1 || scale < 2) {
                throw new IllegalArgumentException("channels " + channels + ", width " + width + ", blocks " + blocks + ", scale " + scale
                        + ": each must be at least 1, and scale 2");
            }
        }

        /** Reads a {@code config.json}. */
        public static Config of(ConfigJson json) {
            return new Config(json.integer("channels", 3), json.integer("width", 48), json.integer("blocks", 6), json.integer("scale", 4));
        }
    }

    private final Config config;
    private final Conv2d convIn;
    private final List<Block> blocks;
    private final Conv2d convOut;

    public Upscaler(Weights w, Config config) {
        this.config = config;
        convIn = new Conv2d(w.sub("conv_in"), config.channels, config.width, 3);
        blocks = IntStream.range(0, config.blocks).mapToObj(i -> new Block(w.sub("blocks").sub("" + i), config.width)).toList();
        convOut = new Conv2d(w.sub("conv_out"), config.width, (long) config.channels * config.scale * config.scale, 3);
    }

    public Config config() {
        return config;
    }

    /** x (B, C, H, W) to (B, C, scale H, scale W). */
    public Tensor forward(Tensor x) {
        try (var scope = new Scope()) {
            Tensor h = convIn.forward(x);                                                   // (B, D, H, W)
            for (Block block : blocks) {
                h = block.forward(h);
            }
            long height = x.size(2) * config.scale, width = x.size(3) * config.scale;
            return scope.keep(Functional.upsampleNearest(x, height, width).add(pixels(convOut.forward(h.silu()))));
        }
    }

    /** (B, C s s, H, W) to (B, C, s H, s W). */
    private Tensor pixels(Tensor x) {
        long b = x.size(0), h = x.size(2), w = x.size(3), c = config.channels, s = config.scale;
        return x.reshape(b, c, s, s, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c, h * s, w * s);
    }

    private static final class Block {
        private final Conv2d conv1;
        private final Conv2d conv2;

        Block(Weights w, int width) {
            conv1 = new Conv2d(w.sub("conv1"), width, width, 3);
            conv2 = new Conv2d(w.sub("conv2"), width, width, 3);
        }

        Tensor forward(Tensor x) {                                                          // (B, D, H, W)
            try (var scope = new Scope()) {
                return scope.keep(x.add(conv2.forward(conv1.forward(x.silu()).silu())));
            }
        }
    }
}
