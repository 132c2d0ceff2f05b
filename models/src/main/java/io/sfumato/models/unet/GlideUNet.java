package io.sfumato.models.unet;

import io.sfumato.io.Weights;
import io.sfumato.models.unet.Conditioning.Input;
import io.sfumato.models.unet.GlideUNetConfig.Mid;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The U-Net of GLIDE (Nichol et al. 2022, 2.3 and appendix B) on top of ADM (Dhariwal and Nichol 2021, 3), which DALL-E 2, Imagen's base
 * model, DeepFloyd IF and Kandinsky took over: residual blocks resample, and attention sees the text's keys and values beside the
 * picture's own. Checkpoint names are those of diffusers' {@code UNet2DConditionModel} with {@code SimpleCrossAttn} blocks, and of its
 * {@code UNet2DModel} with {@code Resnet} blocks.
 */
public final class GlideUNet {
    private final GlideUNetConfig config;
    private final Conv2d convIn;
    private final GlideEmbeddings embeddings;
    private final List<DownBlock> downBlocks = new ArrayList<>();
    private final MidBlock midBlock;
    private final List<UpBlock> upBlocks = new ArrayList<>();
    private final GroupNorm normOut;
    private final Conv2d convOut;

    public GlideUNet(Weights w, GlideUNetConfig c) {
        config = c;
        int levels = c.widths().length;
        convIn = new Conv2d(w.sub("conv_in"), c.inChannels(), c.widths()[0], c.convInKernel(), 1, (c.convInKernel() - 1) / 2);
        embeddings = new GlideEmbeddings(w, c);
        for (int i = 0; i < levels; i++) {
            downBlocks.add(new DownBlock(w.sub("down_blocks").sub("" + i), c, i));
        }
        midBlock = new MidBlock(w.sub("mid_block"), c);
        for (int i = 0; i < levels; i++) {
            upBlocks.add(new UpBlock(w.sub("up_blocks").sub("" + i), c, levels - 1 - i));
        }
        normOut = new GroupNorm(w.sub("conv_norm_out"), c.groups(), c.widths()[0], c.eps());
        convOut = new Conv2d(w.sub("conv_out"), c.widths()[0], c.outChannels(), c.convOutKernel(), 1, (c.convOutKernel() - 1) / 2);
    }

    public GlideUNetConfig config() {
        return config;
    }

    /**
     * One evaluation of the denoiser.
     *
     * @param x     noisy pictures, with what is concatenated to them (B, in, H, W), any H and W
     * @param t     timesteps (B), 0 to 999, fractions allowed
     * @param given text, label and whatever else the config asks for
     * @return noise or picture, and where the checkpoint learned it the variance's share, (B, out, H, W)
     */
    public Tensor forward(Tensor x, Tensor t, Conditioning given) {
        try (var scope = new Scope()) {
            Tensor time = embeddings.embed(t, given, x);                                            // (B, T)
            State state = new State(time, seesText() ? embeddings.context(given) : time, mask(given));
            Deque<Tensor> skips = new ArrayDeque<>();
            x = embeddings.withHint(config.centerInput() ? x.mul(2).sub(1) : x, given);
            x = convIn.forward(x);                                                                  // (B, C, H, W)
            skips.push(x);
            for (DownBlock block : downBlocks) {
                x = block.forward(x, state, skips);
            }
            x = midBlock.forward(x, state);
            for (UpBlock block : upBlocks) {
                x = block.forward(x, state, skips);
            }
            return scope.keep(convOut.forward(config.activation().apply_(normOut.forward(x))));      // (B, out, H, W)
        }
    }

    private boolean seesText() {
        return config.mid() == Mid.ATTENTION || Stream.concat(downBlocks.stream().map(block -> block.attentions),
                upBlocks.stream().map(block -> block.attentions)).anyMatch(attentions -> !attentions.isEmpty());
    }

    /** What is added to the scores of the text's keys; nothing where no mask is given. */
    private static List<Tensor> mask(Conditioning given) {
        return !given.has(Input.TEXT_MASK) ? List.of()
                : List.of(given.get(Input.TEXT_MASK).to(DType.F32).sub(1).mul(10_000));              // (B, L)
    }

    /** What every block sees: the time embedding (B, T), text states (B, L, E), and the mask of these, if any. */
    private record State(Tensor time, Tensor context, List<Tensor> mask) {
    }

    /** Residual blocks, each followed by attention where the level attends; a further one halves the size on all levels but the last. */
    private static final class DownBlock {
        private final List<ResBlock> resnets = new ArrayList<>();
        private final List<TextAttention> attentions = new ArrayList<>();
        private final Optional<ResBlock> downsampler;

        DownBlock(Weights w, GlideUNetConfig c, int level) {
            int in = c.widths()[Math.max(level - 1, 0)], out = c.widths()[level];
            for (int j = 0; j < c.layers()[level]; j++) {
                resnets.add(new ResBlock(w.sub("resnets").sub("" + j), c, j == 0 ? in : out, out, c.outScale()));
                if (c.downAttends()[level]) {
                    attentions.add(new TextAttention(
                            w.sub("attentions").sub("" + j), c, level, c.headWidths()[level], c.onlyCross()[level]));
                }
            }
            downsampler = level == c.widths().length - 1 ? Optional.empty()
                    : Optional.of(new ResBlock(w.sub("downsamplers").sub("0"), c, out, out, c.outScale()));
        }

        Tensor forward(Tensor x, State state, Deque<Tensor> skips) {
            try (var scope = new Scope()) {
                for (int j = 0; j < resnets.size(); j++) {
                    x = resnets.get(j).forward(x, state.time);
                    x = attentions.isEmpty() ? x : attentions.get(j).forward(x, state);
                    skips.push(scope.keep(x));
                }
                if (downsampler.isPresent()) {
                    x = downsampler.get().forward(x, state.time, y -> Functional.avgPool2d(y, 2));
                    skips.push(scope.keep(x));
                }
                return x;
            }
        }
    }

    private static final class MidBlock {
        private final List<ResBlock> resnets = new ArrayList<>();
        private final Optional<TextAttention> attention;
        private final Optional<SelfAttention> selfAttention;

        MidBlock(Weights w, GlideUNetConfig c) {
            int last = c.widths().length - 1, width = c.widths()[last];
            for (int j = 0; j < c.mid().resnets(); j++) {
                resnets.add(new ResBlock(w.sub("resnets").sub("" + j), c, width, width, c.midScale()));
            }
            Weights attentions = w.sub("attentions").sub("0");
            attention = c.mid() != Mid.ATTENTION ? Optional.empty()
                    : Optional.of(new TextAttention(attentions, c, last, c.headWidths()[last], c.midOnlyCross()));
            selfAttention = c.mid() != Mid.SELF_ATTENTION ? Optional.empty() : Optional.of(new SelfAttention(attentions, c));
        }

        Tensor forward(Tensor x, State state) {
            try (var scope = new Scope()) {
                for (int j = 0; j < resnets.size(); j++) {
                    x = resnets.get(j).forward(x, state.time);
                    x = j == 0 && attention.isPresent() ? attention.get().forward(x, state) : x;
                    x = j == 0 && selfAttention.isPresent() ? selfAttention.get().forward(x) : x;
                }
                return scope.keep(x);
            }
        }
    }

    /** As the level's down block, with one more residual block; each takes a skip. A further one goes up to the size of the next skip. */
    private static final class UpBlock {
        private final List<ResBlock> resnets = new ArrayList<>();
        private final List<TextAttention> attentions = new ArrayList<>();
        private final Optional<ResBlock> upsampler;

        UpBlock(Weights w, GlideUNetConfig c, int level) {
            int below = c.widths()[Math.min(level + 1, c.widths().length - 1)];
            int out = c.widths()[level], above = c.widths()[Math.max(level - 1, 0)];
            int count = c.layers()[level] + 1;
            for (int j = 0; j < count; j++) {
                int skip = j == count - 1 ? above : out;
                resnets.add(new ResBlock(w.sub("resnets").sub("" + j), c, (j == 0 ? below : out) + skip, out, c.outScale()));
                if (c.upAttends()[level]) {
                    attentions.add(new TextAttention(
                            w.sub("attentions").sub("" + j), c, level, c.upHeadWidths()[level], c.onlyCross()[level]));
                }
            }
            upsampler = level == 0 ? Optional.empty()
                    : Optional.of(new ResBlock(w.sub("upsamplers").sub("0"), c, out, out, c.outScale()));
        }

        Tensor forward(Tensor x, State state, Deque<Tensor> skips) {
            try (var scope = new Scope()) {
                for (int j = 0; j < resnets.size(); j++) {
                    x = resnets.get(j).forward(Tensor.cat(1, x, skips.pop()), state.time);
                    x = attentions.isEmpty() ? x : attentions.get(j).forward(x, state);
                }
                if (upsampler.isPresent()) {
                    Tensor next = skips.peek();
                    x = upsampler.get().forward(x, state.time, y -> Functional.upsampleNearest(y, next.size(2), next.size(3)));
                }
                return scope.keep(x);
            }
        }
    }

    /** Two convolutions; the time is added, or scales and shifts, between them. Resampling comes before the first. */
    private static final class ResBlock {
        /** Halves or doubles the size, or leaves it. */
        private interface Resampling {
            Tensor apply(Tensor x);
        }

        private final GroupNorm norm1;
        private final Conv2d conv1;
        private final Linear time;
        private final GroupNorm norm2;
        private final Conv2d conv2;
        private final Optional<Conv2d> shortcut;
        private final GlideUNetConfig config;
        private final double scale;

        ResBlock(Weights w, GlideUNetConfig c, int in, int out, double scale) {
            norm1 = new GroupNorm(w.sub("norm1"), c.groups(), in, c.eps());
            conv1 = new Conv2d(w.sub("conv1"), in, out, 3);
            time = new Linear(w.sub("time_emb_proj"), c.timeWidth(), c.scaleShift() ? 2 * out : out);
            norm2 = new GroupNorm(w.sub("norm2"), c.groups(), out, c.eps());
            conv2 = new Conv2d(w.sub("conv2"), out, out, 3);
            shortcut = in == out ? Optional.empty() : Optional.of(new Conv2d(w.sub("conv_shortcut"), in, out, 1));
            config = c;
            this.scale = scale;
        }

        Tensor forward(Tensor x, Tensor t) {
            return forward(x, t, y -> y);
        }

        Tensor forward(Tensor x, Tensor t, Resampling resample) {                           // x (B, in, H, W), t (B, T)
            try (var scope = new Scope()) {
                Activation f = config.activation();
                Tensor h = conv1.forward(resample.apply(f.apply_(norm1.forward(x))));       // (B, out, H', W')
                Tensor e = time.forward(config.activatesTime() ? f.apply(t) : t).unsqueeze(-1).unsqueeze(-1);
                h = config.scaleShift() ? modulate(norm2.forward(h), e.chunk(2, 1)) : norm2.forward(h.add_(e));
                x = resample.apply(x);
                h = conv2.plus(f.apply_(h), shortcut.isPresent() ? shortcut.get().forward(x) : x);
                return scope.keep(scale == 1 ? h : h.div(scale));
            }
        }

        private static Tensor modulate(Tensor h, Tensor[] scaleAndShift) {
            return h.mul(scaleAndShift[0].add(1)).add_(scaleAndShift[1]);
        }
    }

    /** Places attend to the text, whose keys and values come first, and to each other; or to the text alone. */
    private static final class TextAttention {
        private static final int CONTEXT_GROUPS = 32;

        private final GroupNorm norm;
        private final Optional<GroupNorm> contextNorm;
        private final Linear query;
        private final List<Linear> keyAndValue;
        private final Linear textKey;
        private final Linear textValue;
        private final Linear out;
        private final int heads;

        TextAttention(Weights w, GlideUNetConfig c, int level, int headWidth, boolean onlyCross) {
            int width = c.widths()[level], context = c.contextWidths()[level];
            norm = new GroupNorm(w.sub("group_norm"), c.groups(), width, 1e-5);
            contextNorm = c.contextNorm() ? Optional.of(new GroupNorm(w.sub("norm_cross"), CONTEXT_GROUPS, context, 1e-5))
                    : Optional.empty();
            query = new Linear(w.sub("to_q"), width, width);
            keyAndValue = onlyCross ? List.of()
                    : List.of(new Linear(w.sub("to_k"), width, width), new Linear(w.sub("to_v"), width, width));
            textKey = new Linear(w.sub("add_k_proj"), context, width);
            textValue = new Linear(w.sub("add_v_proj"), context, width);
            out = new Linear(w.sub("to_out").sub("0"), width, width);
            heads = width / headWidth;
        }

        Tensor forward(Tensor x, State state) {                                             // x (B, C, H, W), context (B, L, E)
            try (var scope = new Scope()) {
                Tensor text = contextNorm.isEmpty() ? state.context
                        : contextNorm.get().forward(state.context.transpose(1, 2)).transpose(1, 2);
                Tensor tokens = tokens(norm.forward(x));                                    // (B, HW, C)
                Tensor key = textKey.forward(text), value = textValue.forward(text);        // (B, L, C)
                if (!keyAndValue.isEmpty()) {
                    key = Tensor.cat(1, key, keyAndValue.get(0).forward(tokens));           // (B, L + HW, C)
                    value = Tensor.cat(1, value, keyAndValue.get(1).forward(tokens));
                }
                Tensor query = this.query.forward(tokens);
                Tensor seen = state.mask.isEmpty() ? Attention.multiHead(query, key, value, heads)
                        : Attention.biased(query, key, value, heads, bias(state.mask.get(0), key));
                return scope.keep(picture(out.plus(seen, tokens(x)), x));
            }
        }

        /** The mask of the text, and zeros for the picture's own keys: (B, 1, 1, L + HW). */
        private static Tensor bias(Tensor mask, Tensor key) {
            return Functional.pad(mask, 0, key.size(1) - mask.size(1)).to(key).unsqueeze(1).unsqueeze(1);
        }
    }

    /** Places attend to each other. Normalised first only where the time does not scale and shift. */
    private static final class SelfAttention {
        private final Optional<GroupNorm> norm;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final int heads;
        private final double scale;

        SelfAttention(Weights w, GlideUNetConfig c) {
            int last = c.widths().length - 1, width = c.widths()[last];
            norm = c.scaleShift() ? Optional.empty() : Optional.of(new GroupNorm(w.sub("group_norm"), c.groups(), width, c.eps()));
            query = new Linear(w.sub("to_q"), width, width);
            key = new Linear(w.sub("to_k"), width, width);
            value = new Linear(w.sub("to_v"), width, width);
            out = new Linear(w.sub("to_out").sub("0"), width, width);
            heads = width / c.headWidths()[last];
            scale = c.midScale();
        }

        Tensor forward(Tensor x) {                                                          // (B, C, H, W)
            try (var scope = new Scope()) {
                Tensor tokens = tokens(norm.isPresent() ? norm.get().forward(x) : x);       // (B, HW, C)
                Tensor seen = Attention.multiHead(query.forward(tokens), key.forward(tokens), value.forward(tokens), heads);
                return scope.keep(picture(out.plus(seen, tokens(x)), x).div(scale));
            }
        }
    }

    /** (B, C, H, W) to (B, HW, C). */
    private static Tensor tokens(Tensor x) {
        return x.permute(0, 2, 3, 1).reshape(x.size(0), x.size(2) * x.size(3), x.size(1));
    }

    /** (B, HW, C) to the shape of {@code like}. */
    private static Tensor picture(Tensor tokens, Tensor like) {
        return tokens.view(like.size(0), like.size(2), like.size(3), like.size(1)).permute(0, 3, 1, 2);
    }
}
