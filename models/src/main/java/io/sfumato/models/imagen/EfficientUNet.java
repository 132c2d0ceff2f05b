package io.sfumato.models.imagen;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.TimestepEmbedding;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Imagen's Efficient U-Net for super-resolution (Saharia et al. 2022, appendix B and figures A.27 to A.30): blocks that shrink first and
 * grow last, most of their residual blocks at the lowest resolution, skips scaled by 1/sqrt(2), attention in the last block alone.
 * Time, the level of the noise over the small picture and the pooled text become one embedding that scales and shifts. Google published
 * no weights: names follow the figures.
 */
public final class EfficientUNet {
    private static final double SKIP = 1 / Math.sqrt(2);
    private static final double EPS = 1e-5;
    /** Times and noise levels in [0, 1] are embedded as 1000 timesteps would be. */
    private static final double TIMESTEPS = 1000;

    /** What the places of the last block attend to. */
    public enum Attends { TEXT_AND_PICTURE, TEXT }

    /**
     * @param width     of the first convolution, at full size
     * @param channels  of each block, from the first down
     * @param resBlocks residual blocks of each
     * @param heads     of attention in the last block
     * @param textWidth of the text states
     * @param groups    of the norms
     */
    public record Config(int width, int[] channels, int[] resBlocks, Attends attends, int heads, int textWidth, int groups) {
        public Config {
            if (channels.length < 1 || channels.length != resBlocks.length) {
                throw new IllegalArgumentException("channels " + Arrays.toString(channels) + " and res_blocks " + Arrays.toString(resBlocks)
                        + ": one of each for every block is wanted");
            }
            if (heads < 1 || channels[channels.length - 1] % heads != 0 || 4 * width % heads != 0) {
                throw new IllegalArgumentException(heads + " attention_heads do not divide the " + channels[channels.length - 1]
                        + " channels of the last block, and 4 times the width " + width);
            }
        }

        /** 64 to 256 pixels: "600M" in the paper. */
        public static Config super256() {
            return published(Attends.TEXT_AND_PICTURE);
        }

        /** 256 to 1024 pixels: "400M" in the paper. */
        public static Config super1024() {
            return published(Attends.TEXT);
        }

        private static Config published(Attends attends) {
            return new Config(128, new int[] {128, 256, 512, 1024}, new int[] {2, 4, 8, 8}, attends, 8, 4096, 32);
        }

        public static Config of(ConfigJson json) {
            String attends = json.text("attends", "text_and_picture");
            if (!attends.equals("text_and_picture") && !attends.equals("text")) {
                throw json.wrong("attends", attends, "text_and_picture or text");
            }
            return new Config(json.integer("width", 128), json.integers("channels"), json.integers("res_blocks"),
                    attends.equals("text") ? Attends.TEXT : Attends.TEXT_AND_PICTURE, json.integer("attention_heads", 8),
                    json.integer("text_width", 4096), json.integer("norm_groups", 32));
        }

        /** What {@link #of} reads. */
        public Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("_class_name", "EfficientUNet");
            json.put("width", width);
            json.put("channels", channels);
            json.put("res_blocks", resBlocks);
            json.put("attends", attends.name().toLowerCase(Locale.ROOT));
            json.put("attention_heads", heads);
            json.put("text_width", textWidth);
            json.put("norm_groups", groups);
            return json;
        }

        private int embedding() {
            return 4 * width;
        }
    }

    private final Config config;
    private final Conv2d convIn;
    private final Linear[] time;
    private final Linear[] noise;
    private final TextPooling pooling;
    private final List<DBlock> downBlocks = new ArrayList<>();
    private final List<UBlock> upBlocks = new ArrayList<>();
    private final GroupNorm normOut;
    private final Conv2d convOut;

    public EfficientUNet(Weights w, Config c) {
        config = c;
        convIn = new Conv2d(w.sub("conv_in"), 6, c.width, 3);
        time = twoLayers(w.sub("time_embedding"), c);
        noise = twoLayers(w.sub("noise_embedding"), c);
        pooling = new TextPooling(w.sub("text_pooling"), c.textWidth, c.heads, c.embedding());
        int blocks = c.channels.length;
        for (int i = 0; i < blocks; i++) {
            downBlocks.add(new DBlock(w.sub("down_blocks").sub("" + i), c, i));
        }
        for (int i = blocks - 1; i >= 0; i--) {
            upBlocks.add(new UBlock(w.sub("up_blocks").sub("" + (blocks - 1 - i)), c, i));
        }
        normOut = new GroupNorm(w.sub("norm_out"), c.groups, c.width, EPS);
        convOut = new Conv2d(w.sub("conv_out"), c.width, 3, 3);
    }

    private static Linear[] twoLayers(Weights w, Config c) {
        return new Linear[] {new Linear(w.sub("linear_1"), c.width, c.embedding()), new Linear(w.sub("linear_2"), c.embedding(), c.embedding())};
    }

    public Config config() {
        return config;
    }

    /**
     * One evaluation of the denoiser.
     *
     * @param x     noisy pictures and the small ones enlarged to their size (B, 6, H, W); any H and W
     * @param t     times (B) in [0, 1], 1 being noise
     * @param level of the noise that the small ones are under, (B) in [0, 1]
     * @param text  states (B, L, E)
     * @return noise or velocity (B, 3, H, W), as it was trained
     */
    public Tensor forward(Tensor x, Tensor t, Tensor level, Tensor text) {
        try (var scope = new Scope()) {
            Tensor e = embedded(time, t, x).add(embedded(noise, level, x)).add(pooling.forward(text)).silu();       // (B, 4 width)
            x = convIn.forward(x);                                                                                  // (B, width, H, W)
            Deque<Tensor> skips = new ArrayDeque<>();
            Deque<long[]> sizes = new ArrayDeque<>();
            for (DBlock block : downBlocks) {
                sizes.push(new long[] {x.size(2), x.size(3)});
                x = block.forward(x, e, text);
                skips.push(x);
            }
            skips.pop();                                                                    // the lowest block's output is x itself
            for (UBlock block : upBlocks) {
                x = block == upBlocks.get(0) ? x : x.add(skips.pop()).mul(SKIP);
                x = block.forward(x, e, text, sizes.pop());
            }
            return scope.keep(convOut.forward(normOut.forward(x).silu()));                                          // (B, 3, H, W)
        }
    }

    private Tensor embedded(Linear[] layers, Tensor t, Tensor like) {
        Tensor waves = TimestepEmbedding.sinusoid(t.mul(TIMESTEPS), config.width, true, 0).to(like);
        return layers[1].forward(layers[0].forward(waves).silu());
    }

    /** Halves the size first; figure A.28. */
    private static final class DBlock {
        private final Conv2d shrink;
        private final Core core;

        DBlock(Weights w, Config c, int i) {
            int channels = c.channels[i];
            shrink = new Conv2d(w.sub("shrink"), i == 0 ? c.width : c.channels[i - 1], channels, 3, 2, 1);
            core = new Core(w, c, i);
        }

        Tensor forward(Tensor x, Tensor e, Tensor text) {                                   // (B, C, H, W)
            try (var scope = new Scope()) {
                return scope.keep(core.forward(shrink.forward(x), e, text));                // (B, C', H/2, W/2)
            }
        }
    }

    /**
     * Doubles the size last; figure A.29 says by a convolution. This one makes the four pixels of each place side by side: where four
     * pixels have the same values first, the noise of each is hard to learn.
     */
    private static final class UBlock {
        private final Core core;
        private final Conv2d grow;

        UBlock(Weights w, Config c, int i) {
            core = new Core(w, c, i);
            grow = new Conv2d(w.sub("grow"), c.channels[i], 4 * (i == 0 ? c.width : c.channels[i - 1]), 3);
        }

        Tensor forward(Tensor x, Tensor e, Tensor text, long[] size) {                      // (B, C, H/2, W/2)
            try (var scope = new Scope()) {
                x = Functional.pixelShuffle(grow.forward(core.forward(x, e, text)), 2);     // (B, C', H, W)
                return scope.keep(x.narrow(2, 0, size[0]).narrow(3, 0, size[1]));           // a row or column less where it was odd
            }
        }
    }

    /** What both kinds of blocks share: the embedding, residual blocks, attention. */
    private static final class Core {
        private final Linear combine;
        private final List<ResBlock> resBlocks = new ArrayList<>();
        private final Optional<TextBlock> attention;

        Core(Weights w, Config c, int i) {
            combine = new Linear(w.sub("combine"), c.embedding(), 2L * c.channels[i]);
            for (int j = 0; j < c.resBlocks[i]; j++) {
                resBlocks.add(new ResBlock(w.sub("res_blocks").sub("" + j), c.channels[i], c.groups));
            }
            attention = i < c.channels.length - 1 ? Optional.empty() : Optional.of(new TextBlock(w.sub("attention"), c));
        }

        Tensor forward(Tensor x, Tensor e, Tensor text) {
            Tensor[] scaleAndShift = combine.forward(e).unsqueeze(-1).unsqueeze(-1).chunk(2, 1);     // 2 x (B, C, 1, 1)
            for (ResBlock block : resBlocks) {
                x = block.forward(x, scaleAndShift);
            }
            return attention.isPresent() ? attention.get().forward(x, text) : x;
        }
    }

    /** Figure A.27, its second norm scaled and shifted by the embedding. */
    private static final class ResBlock {
        private final GroupNorm norm1;
        private final Conv2d conv1;
        private final GroupNorm norm2;
        private final Conv2d conv2;
        private final Conv2d shortcut;

        ResBlock(Weights w, int channels, int groups) {
            norm1 = new GroupNorm(w.sub("norm1"), groups, channels, EPS);
            conv1 = new Conv2d(w.sub("conv1"), channels, channels, 3);
            norm2 = new GroupNorm(w.sub("norm2"), groups, channels, EPS);
            conv2 = new Conv2d(w.sub("conv2"), channels, channels, 3);
            shortcut = new Conv2d(w.sub("shortcut"), channels, channels, 1);
        }

        Tensor forward(Tensor x, Tensor[] scaleAndShift) {
            try (var scope = new Scope()) {
                Tensor h = conv1.forward(norm1.forward(x).silu());
                h = norm2.forward(h).mul(scaleAndShift[0].add(1)).add(scaleAndShift[1]);
                return scope.keep(conv2.plus(h.silu(), shortcut.forward(x)));
            }
        }
    }

    /** Attention to the text, and to the picture unless the config says to the text alone; then two layers of twice the width. */
    private static final class TextBlock {
        private final GroupNorm norm;
        private final LayerNorm textNorm;
        private final Linear query;
        private final List<Linear> keyAndValue;
        private final Linear textKey;
        private final Linear textValue;
        private final Linear out;
        private final LayerNorm norm2;
        private final Linear up;
        private final Linear down;
        private final int heads;

        TextBlock(Weights w, Config c) {
            int width = c.channels[c.channels.length - 1];
            norm = new GroupNorm(w.sub("norm"), c.groups, width, EPS);
            textNorm = new LayerNorm(w.sub("text_norm"), c.textWidth, EPS);
            query = new Linear(w.sub("query"), width, width);
            keyAndValue = c.attends == Attends.TEXT ? List.of()
                    : List.of(new Linear(w.sub("key"), width, width), new Linear(w.sub("value"), width, width));
            textKey = new Linear(w.sub("text_key"), c.textWidth, width);
            textValue = new Linear(w.sub("text_value"), c.textWidth, width);
            out = new Linear(w.sub("out"), width, width);
            norm2 = new LayerNorm(w.sub("norm2"), width, EPS);
            up = new Linear(w.sub("up"), width, 2L * width);
            down = new Linear(w.sub("down"), 2L * width, width);
            heads = c.heads;
        }

        Tensor forward(Tensor x, Tensor text) {                                             // x (B, C, H, W), text (B, L, E)
            try (var scope = new Scope()) {
                long b = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
                Tensor places = x.permute(0, 2, 3, 1).reshape(b, h * w, c);                 // (B, HW, C)
                Tensor seen = norm.forward(x).permute(0, 2, 3, 1).reshape(b, h * w, c);
                Tensor words = textNorm.forward(text);
                Tensor key = textKey.forward(words), value = textValue.forward(words);      // (B, L, C)
                if (!keyAndValue.isEmpty()) {
                    key = Tensor.cat(1, key, keyAndValue.get(0).forward(seen));             // (B, L + HW, C)
                    value = Tensor.cat(1, value, keyAndValue.get(1).forward(seen));
                }
                places = out.plus(Attention.multiHead(query.forward(seen), key, value, heads), places);
                places = down.plus(up.forward(norm2.forward(places)).gelu(), places);
                return scope.keep(places.view(b, h, w, c).permute(0, 3, 1, 2));
            }
        }
    }
}
