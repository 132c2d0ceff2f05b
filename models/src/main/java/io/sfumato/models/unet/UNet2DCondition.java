package io.sfumato.models.unet;

import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.GroupNorm;
import io.sfumato.nn.Linear;
import io.sfumato.nn.TimestepEmbedding;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The text-conditioned U-Net of latent diffusion and Stable Diffusion 1 and 2 (Rombach et al. 2022, 3.2 to 3.3): residual blocks that
 * know the time, Transformers that see the text, skips from each level down to its twin up. Checkpoint names are those of diffusers'
 * {@code UNet2DConditionModel}.
 */
public final class UNet2DCondition {
    private final UNetConfig config;
    private final Conv2d convIn;
    private final Linear time1;
    private final Linear time2;
    private final List<Linear> projection;
    private final List<Embedding> labels;
    private final List<DownBlock> downBlocks = new ArrayList<>();
    private final MidBlock midBlock;
    private final List<UpBlock> upBlocks = new ArrayList<>();
    private final GroupNorm normOut;
    private final Conv2d convOut;

    /** Where {@code w} is in 8 bits or multiplies in them, so do the Transformers' layers, not those that know the time. */
    public UNet2DCondition(Weights w, UNetConfig c) {
        config = c;
        int levels = c.widths().length;
        convIn = new Conv2d(w.sub("conv_in"), c.inChannels(), c.widths()[0], c.convInKernel(), 1, (c.convInKernel() - 1) / 2);
        time1 = new Linear(w.exact().sub("time_embedding").sub("linear_1"), c.widths()[0], c.timeWidth());
        time2 = new Linear(w.exact().sub("time_embedding").sub("linear_2"), c.timeWidth(), c.timeWidth());
        labels = c.labels() == 0 ? List.of() : List.of(new Embedding(w.sub("class_embedding"), c.labels(), c.timeWidth(), 1));
        projection = c.textWidth() == 0 ? List.of()
                : List.of(new Linear(w.sub("encoder_hid_proj"), c.textWidth(), c.contextWidths()[0]));
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

    public UNetConfig config() {
        return config;
    }

    /**
     * An answer, and what the shallowest blocks got from below for it.
     *
     * @param answer noise, velocity or picture (B, out, H, W), as the checkpoint was trained
     * @param deep   features (B, C', H, W), which change little from step to step
     */
    public record Evaluation(Tensor answer, Tensor deep) {
    }

    /** The {@link Evaluation#answer} to x (B, in, H, W) at t (B) with text states (B, L, E): see {@link UNetInput}. */
    public Tensor forward(Tensor x, Tensor t, Tensor context) {
        return forward(UNetInput.of(x, t, context));
    }

    /** The {@link Evaluation#answer}, (B, out, H, W). */
    public Tensor forward(UNetInput in) {
        try (var scope = new Scope()) {
            return scope.keep(denoise(in).answer);
        }
    }

    /** One evaluation of the denoiser, with the features that {@link #shallow} goes on with. */
    public Evaluation evaluate(UNetInput in) {
        try (var scope = new Scope()) {
            Evaluation all = denoise(in);
            return new Evaluation(scope.keep(all.answer), scope.keep(all.deep));
        }
    }

    /**
     * An answer (B, out, H, W) for which only the first residual block and the last two work, on the features from below of an earlier
     * evaluation (DeepCache: Ma et al. 2023, section 3.2, with the first skip branch).
     *
     * @param deep of an {@link Evaluation} at a timestep nearby
     */
    public Tensor shallow(UNetInput in, Tensor deep) {
        try (var scope = new Scope()) {
            Deque<Tensor> skips = new ArrayDeque<>();
            Told told = told(in);
            Tensor x = entered(in, skips);
            skips.push(downBlocks.get(0).layer(0, x, told));
            return scope.keep(answer(last().forward(deep, told, skips, last().lastTwo(), last().layers())));
        }
    }

    private Tensor embedded(UNetInput in) {
        if (labels.isEmpty() == in.labels().isEmpty()) {
            Tensor waves = TimestepEmbedding.sinusoid(in.t(), config.widths()[0], config.cosFirst(), config.frequencyShift());    // (B, C)
            Tensor time = time2.forward(config.activation().apply(time1.forward(waves.to(in.x()))));                             // (B, T)
            return labels.isEmpty() ? time : time.add(labels.get(0).forward(in.labels().get(0)));
        }
        throw new IllegalArgumentException(labels.isEmpty() ? "this U-Net takes no labels"
                : "this U-Net wants a label for each picture, 0 to " + (config.labels() - 1));
    }

    /** What every block is told: the time (B, T), the text (B, L, E'), and the share of places to merge at the full size. */
    private record Told(Tensor time, Tensor context, double merged) {
    }

    private Told told(UNetInput in) {
        return new Told(embedded(in), projection.isEmpty() ? in.context() : projection.get(0).forward(in.context()), in.merged());
    }

    private Tensor entered(UNetInput in, Deque<Tensor> skips) {
        Tensor x = convIn.forward(config.centerInput() ? in.x().mul(2).sub(1) : in.x());                                 // (B, C, H, W)
        skips.push(x);
        return x;
    }

    private UpBlock last() {
        return upBlocks.get(upBlocks.size() - 1);
    }

    private Evaluation denoise(UNetInput in) {
        Deque<Tensor> skips = new ArrayDeque<>();
        Told told = told(in);
        Tensor x = entered(in, skips);
        for (DownBlock block : downBlocks) {
            x = block.forward(x, told, skips);
        }
        x = midBlock.forward(x, told);
        for (UpBlock block : upBlocks) {
            x = block.forward(x, told, skips, 0, block == last() ? block.lastTwo() : block.layers());
        }
        return new Evaluation(answer(last().forward(x, told, skips, last().lastTwo(), last().layers())), x);
    }

    private Tensor answer(Tensor x) {
        return convOut.forward(config.activation().apply(normOut.forward(x)));                                           // (B, out, H, W)
    }

    /** Residual blocks, each followed by a Transformer where the level attends, then half the size on all levels but the last. */
    private static final class DownBlock {
        private final List<ResBlock> resnets = new ArrayList<>();
        private final List<SpatialTransformer> attentions = new ArrayList<>();
        private final Optional<Conv2d> downsampler;
        private final boolean padsFarSides;
        private final boolean full;

        DownBlock(Weights w, UNetConfig c, int level) {
            int in = c.widths()[Math.max(level - 1, 0)], out = c.widths()[level];
            for (int j = 0; j < c.layers()[level]; j++) {
                resnets.add(new ResBlock(w.sub("resnets").sub("" + j), c, j == 0 ? in : out, out));
                if (c.downAttends()[level]) {
                    attentions.add(new SpatialTransformer(
                            w.sub("attentions").sub("" + j), c, level, c.depths()[level], c.onlyCross()[level]));
                }
            }
            padsFarSides = c.downsamplePadding() == 0;
            full = level == 0;
            downsampler = level == c.widths().length - 1 ? Optional.empty()
                    : Optional.of(new Conv2d(w.sub("downsamplers").sub("0").sub("conv"), out, out, 3, 2, c.downsamplePadding()));
        }

        Tensor forward(Tensor x, Told told, Deque<Tensor> skips) {
            try (var scope = new Scope()) {
                for (int j = 0; j < resnets.size(); j++) {
                    x = layer(j, x, told);
                    skips.push(scope.keep(x));
                }
                if (downsampler.isPresent()) {
                    x = downsampler.get().forward(padsFarSides ? Functional.pad(x, 0, 1, 0, 1) : x);
                    skips.push(scope.keep(x));
                }
                return x;
            }
        }

        Tensor layer(int j, Tensor x, Told told) {
            x = resnets.get(j).forward(x, told.time);
            return attentions.isEmpty() ? x : attentions.get(j).forward(x, told.context, full ? told.merged : 0);
        }
    }

    private static final class MidBlock {
        private final List<ResBlock> resnets = new ArrayList<>();
        private final Optional<SpatialTransformer> attention;

        MidBlock(Weights w, UNetConfig c) {
            int last = c.widths().length - 1, width = c.widths()[last];
            for (int j = 0; j < c.mid().resnets(); j++) {
                resnets.add(new ResBlock(w.sub("resnets").sub("" + j), c, width, width));
            }
            attention = c.mid() == UNetConfig.Mid.CROSS_ATTENTION
                    ? Optional.of(new SpatialTransformer(w.sub("attentions").sub("0"), c, last, c.depths()[last], false))
                    : Optional.empty();
        }

        Tensor forward(Tensor x, Told told) {
            try (var scope = new Scope()) {
                for (int j = 0; j < resnets.size(); j++) {
                    x = resnets.get(j).forward(x, told.time);
                    x = j == 0 && attention.isPresent() ? attention.get().forward(x, told.context, 0) : x;
                }
                return scope.keep(x);
            }
        }
    }

    /** As the level's down block, with one more residual block; each takes a skip. Then up to the size of the next skip. */
    private static final class UpBlock {
        private final List<ResBlock> resnets = new ArrayList<>();
        private final List<SpatialTransformer> attentions = new ArrayList<>();
        private final Optional<Conv2d> upsampler;
        private final boolean full;

        UpBlock(Weights w, UNetConfig c, int level) {
            int below = c.widths()[Math.min(level + 1, c.widths().length - 1)];
            int out = c.widths()[level], above = c.widths()[Math.max(level - 1, 0)];
            int count = c.layers()[level] + 1;
            for (int j = 0; j < count; j++) {
                int skip = j == count - 1 ? above : out;
                resnets.add(new ResBlock(w.sub("resnets").sub("" + j), c, (j == 0 ? below : out) + skip, out));
                if (c.upAttends()[level]) {
                    attentions.add(new SpatialTransformer(
                            w.sub("attentions").sub("" + j), c, level, c.upDepths()[level], c.onlyCross()[level]));
                }
            }
            full = level == 0;
            upsampler = full ? Optional.empty() : Optional.of(new Conv2d(w.sub("upsamplers").sub("0").sub("conv"), out, out, 3));
        }

        int layers() {
            return resnets.size();
        }

        /** Where the layers begin whose skips are the network's first two. */
        int lastTwo() {
            return layers() - 2;
        }

        /** The layers from {@code from} up to {@code to}, and the upsampler if they are the last. */
        Tensor forward(Tensor x, Told told, Deque<Tensor> skips, int from, int to) {
            try (var scope = new Scope()) {
                for (int j = from; j < to; j++) {
                    x = resnets.get(j).forward(Tensor.cat(1, x, skips.pop()), told.time);
                    x = attentions.isEmpty() ? x : attentions.get(j).forward(x, told.context, full ? told.merged : 0);
                }
                if (to == layers() && upsampler.isPresent()) {
                    Tensor next = skips.peek();
                    x = upsampler.get().forward(Functional.upsampleNearest(x, next.size(2), next.size(3)));
                }
                return scope.keep(x);
            }
        }
    }

    /** Two convolutions; the time is added, or scales and shifts, between them. */
    private static final class ResBlock {
        private final GroupNorm norm1;
        private final Conv2d conv1;
        private final Linear time;
        private final GroupNorm norm2;
        private final Conv2d conv2;
        private final Optional<Conv2d> shortcut;
        private final Activation activation;
        private final boolean scaleShift;

        ResBlock(Weights w, UNetConfig c, int in, int out) {
            norm1 = new GroupNorm(w.sub("norm1"), c.groups(), in, c.eps());
            conv1 = new Conv2d(w.sub("conv1"), in, out, 3);
            time = new Linear(w.exact().sub("time_emb_proj"), c.timeWidth(), c.scaleShift() ? 2 * out : out);
            norm2 = new GroupNorm(w.sub("norm2"), c.groups(), out, c.eps());
            conv2 = new Conv2d(w.sub("conv2"), out, out, 3);
            shortcut = in == out ? Optional.empty() : Optional.of(new Conv2d(w.sub("conv_shortcut"), in, out, 1));
            activation = c.activation();
            scaleShift = c.scaleShift();
        }

        Tensor forward(Tensor x, Tensor t) {                                                // x (B, in, H, W), t (B, T)
            try (var scope = new Scope()) {
                Tensor h = conv1.forward(activation.apply_(norm1.forward(x)));              // (B, out, H, W)
                Tensor e = time.forward(activation.apply(t)).unsqueeze(-1).unsqueeze(-1);   // (B, out or 2 out, 1, 1)
                h = scaleShift ? modulate(norm2.forward(h), e.chunk(2, 1)) : norm2.forward(h.add_(e));
                return scope.keep(conv2.plus(activation.apply_(h), shortcut.isPresent() ? shortcut.get().forward(x) : x));
            }
        }

        private static Tensor modulate(Tensor h, Tensor[] scaleAndShift) {
            return h.mul(scaleAndShift[0].add(1)).add(scaleAndShift[1]);
        }
    }
}
