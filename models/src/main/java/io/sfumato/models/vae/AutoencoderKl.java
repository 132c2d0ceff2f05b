package io.sfumato.models.vae;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The KL-regularised autoencoder of latent diffusion (Rombach et al. 2022, 3.1 and appendix G). Checkpoint names are those of
 * diffusers' {@code AutoencoderKL}; the attention of older files ({@code query}, {@code key}, {@code value}, {@code proj_attn}) loads too.
 */
public final class AutoencoderKl {
    private static final double EPS = 1e-6;

    /**
     * @param widths        channels of each level, from the picture down; each level but the first halves the size
     * @param layers        residual blocks of an encoder level; a decoder level has one more
     * @param scalingFactor what latents are multiplied by for the diffusion model
     */
    public record Config(int inChannels, int outChannels, int latentChannels, int[] widths, int layers, int groups, Activation activation,
                         boolean quantConv, boolean postQuantConv, boolean midAttention, double scalingFactor) {
        public Config {
            widths = widths.clone();
            if (layers < 1) {
                throw new IllegalArgumentException("layers_per_block must be at least 1, not " + layers);
            }
        }

        /** Reads a {@code config.json} of a {@code vae} folder. */
        public static Config of(ConfigJson json) {
            int[] widths = json.has("block_out_channels") ? json.integers("block_out_channels") : new int[] {64};
            blocks(json, "down_block_types", widths.length, "DownEncoderBlock2D");
            blocks(json, "up_block_types", widths.length, "UpDecoderBlock2D");
            return new Config(json.integer("in_channels", 3), json.integer("out_channels", 3), json.integer("latent_channels", 4), widths,
                    json.integer("layers_per_block", 1), json.integer("norm_num_groups", 32),
                    Activation.of(json, "act_fn", Activation.SILU),
                    json.flag("use_quant_conv", true), json.flag("use_post_quant_conv", true), json.flag("mid_block_add_attention", true),
                    json.number("scaling_factor", 0.18215));
        }

        private static void blocks(ConfigJson json, String key, int levels, String kind) {
            if (json.has(key) && !json.texts(key).equals(Collections.nCopies(levels, kind))) {
                throw json.wrong(key, json.texts(key), levels + " times " + kind);
            }
        }

        /** Pixels that one latent spans in each direction. */
        public int factor() {
            return 1 << (widths.length - 1);
        }

        int last() {
            return widths[widths.length - 1];
        }
    }

    /** The encoder's normal distribution over latents, both (B, latentChannels, h, w), unscaled. */
    public record Posterior(Tensor mean, Tensor logvar) {
        /** {@code mean + std * noise}. */
        public Tensor sample(Tensor noise) {
            return mean.add(logvar.mul(0.5).exp().mul(noise));
        }
    }

    private final Config config;
    private final Encoder encoder;
    private final Decoder decoder;
    private final List<Conv2d> quantConv;
    private final List<Conv2d> postQuantConv;

    public AutoencoderKl(Weights w, Config config) {
        this.config = config;
        int z = config.latentChannels;
        encoder = new Encoder(w.sub("encoder"), config);
        decoder = new Decoder(w.sub("decoder"), config);
        quantConv = config.quantConv ? List.of(new Conv2d(w.sub("quant_conv"), 2 * z, 2 * z, 1)) : List.of();
        postQuantConv = config.postQuantConv ? List.of(new Conv2d(w.sub("post_quant_conv"), z, z, 1)) : List.of();
    }

    public Config config() {
        return config;
    }

    /** Pictures (B, 3, H, W) in [-1, 1] to a distribution over latents (B, z, H/factor, W/factor). */
    public Posterior encode(Tensor x) {
        try (var scope = new Scope()) {
            Tensor moments = encoder.forward(x);                                            // (B, 2z, h, w)
            for (Conv2d conv : quantConv) {
                moments = conv.forward(moments);
            }
            Tensor[] m = moments.chunk(2, 1);
            return new Posterior(scope.keep(m[0]), scope.keep(m[1].clamp(-30, 20)));
        }
    }

    /** Unscaled latents (B, z, h, w) to pictures (B, 3, h*factor, w*factor), about [-1, 1]. */
    public Tensor decode(Tensor z) {
        try (var scope = new Scope()) {
            for (Conv2d conv : postQuantConv) {
                z = conv.forward(z);
            }
            return scope.keep(decoder.forward(z));
        }
    }

    /**
     * As {@link #encode}, of one picture, a strip of rows at a time: memory for no more than about one map of the whole picture, for
     * 1.5 times the work or more. Nearly equal: see {@link HeldMap}.
     */
    public Posterior encodeInStrips(Tensor x) {
        return encodeInStrips(x, StripMap.Limits.USUAL);
    }

    Posterior encodeInStrips(Tensor x, StripMap.Limits limits) {
        try (var scope = new Scope()) {
            Tensor moments = encoder.inStrips(x, limits);
            for (Conv2d conv : quantConv) {
                moments = conv.forward(moments);
            }
            Tensor[] m = moments.chunk(2, 1);
            return new Posterior(scope.keep(m[0]), scope.keep(m[1].clamp(-30, 20)));
        }
    }

    /** As {@link #decode}, of one picture, a strip of rows at a time; see {@link #encodeInStrips}. */
    public Tensor decodeInStrips(Tensor z) {
        return decodeInStrips(z, StripMap.Limits.USUAL);
    }

    Tensor decodeInStrips(Tensor z, StripMap.Limits limits) {
        try (var scope = new Scope()) {
            for (Conv2d conv : postQuantConv) {
                z = conv.forward(z);
            }
            return scope.keep(decoder.inStrips(z, limits));
        }
    }

    private static final class Encoder {
        private final Conv2d convIn;
        private final List<Level> levels = new ArrayList<>();
        private final Middle middle;
        private final GroupNorm normOut;
        private final Conv2d convOut;

        Encoder(Weights w, Config c) {
            convIn = new Conv2d(w.sub("conv_in"), c.inChannels, c.widths[0], 3);
            for (int i = 0; i < c.widths.length; i++) {
                Weights level = w.sub("down_blocks").sub("" + i);
                boolean halves = i < c.widths.length - 1;
                levels.add(new Level(level, c, c.layers, c.widths[Math.max(i - 1, 0)], c.widths[i],
                        halves ? List.of(new Conv2d(level.sub("downsamplers").sub("0").sub("conv"), c.widths[i], c.widths[i], 3, 2, 0))
                                : List.of()));
            }
            middle = new Middle(w.sub("mid_block"), c);
            normOut = new GroupNorm(w.sub("conv_norm_out"), c.groups, c.last(), EPS);
            convOut = new Conv2d(w.sub("conv_out"), c.last(), 2 * c.latentChannels, 3);
        }

        Tensor forward(Tensor x) {
            x = convIn.forward(x);
            // Padding only on the far sides is how the original was trained.
            x = Scope.chain(x, levels, (level, y) -> level.forward(y, z -> Functional.pad(z, 0, 1, 0, 1)));
            return convOut.forward(normOut.forward(middle.forward(x)).silu_());
        }

        Tensor inStrips(Tensor x, StripMap.Limits limits) {
            HeldMap held = HeldMap.of(StripMap.of(x, limits).after(levels.get(0).in, 1, convIn::forward), x.dtype());
            try {
                levels.get(0).inStrips(held, 0);
                for (int i = 1; i < levels.size(); i++) {
                    StripMap halved = held.map().halved(levels.get(i - 1).resizer.get(0));
                    HeldMap next = HeldMap.of(levels.get(i).firstInStrips(halved), x.dtype());
                    held.close();
                    held = next;
                    levels.get(i).inStrips(held, 1);
                }
                return convOut.forward(normOut.forward(middle.forward(held.whole())).silu());
            } finally {
                held.close();
            }
        }
    }

    private static final class Decoder {
        private final Conv2d convIn;
        private final Middle middle;
        private final List<Level> levels = new ArrayList<>();
        private final GroupNorm normOut;
        private final Conv2d convOut;
        private final int outChannels;

        Decoder(Weights w, Config c) {
            convIn = new Conv2d(w.sub("conv_in"), c.latentChannels, c.last(), 3);
            middle = new Middle(w.sub("mid_block"), c);
            int n = c.widths.length;
            for (int i = 0; i < n; i++) {
                Weights level = w.sub("up_blocks").sub("" + i);
                int out = c.widths[n - 1 - i];
                boolean doubles = i < n - 1;
                levels.add(new Level(level, c, c.layers + 1, c.widths[Math.min(n - i, n - 1)], out,
                        doubles ? List.of(new Conv2d(level.sub("upsamplers").sub("0").sub("conv"), out, out, 3)) : List.of()));
            }
            normOut = new GroupNorm(w.sub("conv_norm_out"), c.groups, c.widths[0], EPS);
            convOut = new Conv2d(w.sub("conv_out"), c.widths[0], c.outChannels, 3);
            outChannels = c.outChannels;
        }

        Tensor forward(Tensor z) {
            Tensor x = middle.forward(convIn.forward(z));
            x = Scope.chain(x, levels, (level, y) -> level.forward(y, u -> Functional.upsampleNearest(u, 2 * u.size(2), 2 * u.size(3))));
            return convOut.forward(normOut.forward(x).silu_());
        }

        Tensor inStrips(Tensor z, StripMap.Limits limits) {
            HeldMap held = start(z, limits);
            try {
                levels.get(0).inStrips(held, 0);
                for (int i = 1; i < levels.size(); i++) {
                    StripMap doubled = held.map().doubled().after(levels.get(i).in, 1, levels.get(i - 1).resizer.get(0)::forward);
                    HeldMap next = HeldMap.of(levels.get(i).firstInStrips(doubled), z.dtype());
                    held.close();
                    held = next;
                    levels.get(i).inStrips(held, 1);
                }
                UnaryOperator<Tensor> norm = held.map().statistics(normOut);
                StripMap picture = held.map().after(outChannels, 1, rows -> convOut.forward(norm.apply(rows).silu()));
                Tensor out = Tensor.zeros(z.dtype(), 1, picture.channels(), picture.height(), picture.width());
                picture.into(out);
                return out;
            } finally {
                held.close();
            }
        }

        private HeldMap start(Tensor z, StripMap.Limits limits) {
            try (var scope = new Scope()) {
                return HeldMap.of(StripMap.of(middle.forward(convIn.forward(z)), limits), z.dtype());
            }
        }
    }

    /** Residual blocks, then, on all levels but the last, a change of size: {@code resize} and a convolution. */
    private static final class Level {
        private final int in;
        private final List<ResBlock> resnets = new ArrayList<>();
        private final List<Conv2d> resizer;

        Level(Weights w, Config c, int count, int in, int out, List<Conv2d> resizer) {
            this.in = in;
            for (int j = 0; j < count; j++) {
                resnets.add(new ResBlock(w.sub("resnets").sub("" + j), c, j == 0 ? in : out, out));
            }
            this.resizer = resizer;
        }

        Tensor forward(Tensor x, UnaryOperator<Tensor> resize) {
            try (var scope = new Scope()) {
                x = Scope.chain(x, resnets, ResBlock::forward);
                for (Conv2d conv : resizer) {
                    x = conv.forward(resize.apply(x));
                }
                return scope.keep(x);
            }
        }

        /** The first residual block, which may change the channels. */
        StripMap firstInStrips(StripMap x) {
            return resnets.get(0).inStrips(x);
        }

        /** The residual blocks from the one of that number on, in the place of {@code x}. */
        void inStrips(HeldMap x, int first) {
            for (ResBlock resnet : resnets.subList(first, resnets.size())) {
                try (var scope = new Scope()) {
                    x.become(resnet.inStrips(x.map()));
                }
            }
        }
    }

    private static final class Middle {
        private final ResBlock resnet0;
        private final List<AttentionBlock> attention;
        private final ResBlock resnet1;

        Middle(Weights w, Config c) {
            resnet0 = new ResBlock(w.sub("resnets").sub("0"), c, c.last(), c.last());
            attention = c.midAttention ? List.of(new AttentionBlock(w.sub("attentions").sub("0"), c)) : List.of();
            resnet1 = new ResBlock(w.sub("resnets").sub("1"), c, c.last(), c.last());
        }

        Tensor forward(Tensor x) {
            x = resnet0.forward(x);
            for (AttentionBlock block : attention) {
                x = block.forward(x);
            }
            return resnet1.forward(x);
        }
    }

    private static final class ResBlock {
        private final int out;
        private final GroupNorm norm1;
        private final Conv2d conv1;
        private final GroupNorm norm2;
        private final Conv2d conv2;
        private final List<Conv2d> shortcut;
        private final Activation activation;

        ResBlock(Weights w, Config c, int in, int out) {
            this.out = out;
            norm1 = new GroupNorm(w.sub("norm1"), c.groups, in, EPS);
            conv1 = new Conv2d(w.sub("conv1"), in, out, 3);
            norm2 = new GroupNorm(w.sub("norm2"), c.groups, out, EPS);
            conv2 = new Conv2d(w.sub("conv2"), out, out, 3);
            shortcut = in == out ? List.of() : List.of(new Conv2d(w.sub("conv_shortcut"), in, out, 1));
            activation = c.activation;
        }

        Tensor forward(Tensor x) {                                                          // (B, in, H, W)
            return forward(x, norm1::forward, norm2::forward);
        }

        private Tensor forward(Tensor x, UnaryOperator<Tensor> norm1, UnaryOperator<Tensor> norm2) {
            try (var scope = new Scope()) {
                Tensor h = half(norm2, conv2, half(norm1, conv1, x));                       // (B, out, H, W)
                return scope.keep(h.add_(shortcut.isEmpty() ? x : shortcut.get(0).forward(x)));
            }
        }

        // A scope for each half: at the picture's own size every tensor counts.
        private Tensor half(UnaryOperator<Tensor> norm, Conv2d conv, Tensor x) {
            try (var scope = new Scope()) {
                return scope.keep(conv.forward(activation.apply_(norm.apply(x))));
            }
        }

        StripMap inStrips(StripMap x) {
            UnaryOperator<Tensor> first = x.statistics(norm1);
            UnaryOperator<Tensor> second = x.after(out, 1, rows -> half(first, conv1, rows)).statistics(norm2);
            return x.after(out, 2, rows -> forward(rows, first, second));
        }
    }

    /** Self-attention of one head over all places. */
    private static final class AttentionBlock {
        private final GroupNorm norm;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;

        AttentionBlock(Weights w, Config c) {
            int width = c.last();
            norm = new GroupNorm(w.sub("group_norm"), c.groups, width, EPS);
            query = new Linear(w.sub("to_q", "query"), width, width);
            key = new Linear(w.sub("to_k", "key"), width, width);
            value = new Linear(w.sub("to_v", "value"), width, width);
            out = new Linear(w.has("proj_attn") && !w.has("to_out") ? w.sub("proj_attn") : w.sub("to_out").sub("0"), width, width);
        }

        Tensor forward(Tensor x) {                                                          // (B, C, H, W)
            try (var scope = new Scope()) {
                long b = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
                Tensor tokens = norm.forward(x).permute(0, 2, 3, 1).reshape(b, h * w, c);   // (B, HW, C)
                tokens = out.forward(Attention.multiHead(query.forward(tokens), key.forward(tokens), value.forward(tokens), 1));
                return scope.keep(x.add(tokens.view(b, h, w, c).permute(0, 3, 1, 2)));
            }
        }
    }
}
