package io.sfumato.models.tokenizer;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
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
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * VQGAN (Esser et al. 2021, figure 2 and appendix A): a convolutional autoencoder whose latents are entries of a codebook. Loads the
 * files of taming-transformers (and minDALL-E's first stage), of LlamaGen, and of diffusers' {@code VQModel}: one network under three
 * sets of names, see {@link VqNames}. MoVQ (Zheng et al. 2022), whose decoder sees the latents in every norm, is diffusers' alone.
 */
public final class VqGan implements PictureTokenizer {
    /** How a latent becomes a code. */
    public enum Quantizer {
        /** The nearest entry. */
        NEAREST,
        /** The nearest entry, all vectors of length one. */
        COSINE,
        /** The largest of logits that a convolution makes of the latent: the Gumbel-softmax of DALL-E's tokenizer. */
        GUMBEL
    }

    /**
     * @param zChannels   channels between encoder and {@code quant_conv}
     * @param embed       channels of an entry
     * @param widths      channels of each level, from the picture down; each level but the first halves the size
     * @param layers      residual blocks of an encoder level; a decoder level has one more
     * @param downAttends whether there is attention on each encoder level
     * @param upAttends   the same of the decoder, also from the picture down
     * @param spatial     whether the decoder's norms are MoVQ's
     */
    public record Config(VqNames names, Quantizer quantizer, int channels, int zChannels, int embed, int codes, int[] widths, int layers,
                         int groups, double eps, Activation activation, boolean[] downAttends, boolean[] upAttends,
                         boolean midAttention, boolean spatial) {
        public Config {
            if (layers < 1 || codes < 1 || embed < 1 || zChannels < 1) {
                throw new IllegalArgumentException("layers " + layers + ", codes " + codes + ", embedding " + embed + " and z channels "
                        + zChannels + " must be at least 1");
            }
            if (spatial && embed != zChannels) {
                throw new IllegalArgumentException("vq_embed_dim " + embed + " must be latent_channels " + zChannels
                        + " where the norms are spatial");
            }
        }

        /** Reads the {@code config.json} of a diffusers {@code vqvae} or {@code movq} folder. */
        public static Config diffusers(ConfigJson json) {
            int[] widths = json.has("block_out_channels") ? json.integers("block_out_channels") : new int[] {64};
            int z = json.integer("latent_channels", 3);
            String norm = json.text("norm_type", "group");
            if (!List.of("group", "spatial").contains(norm)) {
                throw json.wrong("norm_type", norm, "group or spatial");
            }
            if (json.integer("out_channels", 3) != json.integer("in_channels", 3)) {
                throw json.wrong("out_channels", json.integer("out_channels", 3), "in_channels " + json.integer("in_channels", 3));
            }
            boolean[] up = attends(json, "up_block_types", widths.length, "UpDecoderBlock2D", "AttnUpDecoderBlock2D");
            boolean[] fromPicture = new boolean[up.length];
            IntStream.range(0, up.length).forEach(i -> fromPicture[i] = up[up.length - 1 - i]);
            return new Config(VqNames.DIFFUSERS, Quantizer.NEAREST, json.integer("in_channels", 3), z, json.integer("vq_embed_dim", z),
                    json.integer("num_vq_embeddings", 256), widths, json.integer("layers_per_block", 1),
                    json.integer("norm_num_groups", 32), 1e-6, Activation.of(json, "act_fn", Activation.SILU),
                    attends(json, "down_block_types", widths.length, "DownEncoderBlock2D", "AttnDownEncoderBlock2D"), fromPicture,
                    json.flag("mid_block_add_attention", true), norm.equals("spatial"));
        }

        private static boolean[] attends(ConfigJson json, String key, int levels, String plain, String attending) {
            boolean[] attends = new boolean[levels];
            if (!json.has(key)) {
                return attends;
            }
            List<String> kinds = json.texts(key);
            if (kinds.size() != levels || !List.of(plain, attending).containsAll(kinds)) {
                throw json.wrong(key, kinds, levels + " of " + plain + " and " + attending);
            }
            IntStream.range(0, levels).forEach(i -> attends[i] = kinds.get(i).equals(attending));
            return attends;
        }

        /** Reads the {@code params} of a taming yaml; {@code dd} is its {@code ddconfig}. */
        public static Config taming(ConfigJson params, ConfigJson dd, Quantizer quantizer) {
            int[] multiples = dd.has("ch_mult") ? dd.integers("ch_mult") : new int[] {1, 2, 4, 8};
            List.of("double_z", "tanh_out", "give_pre_end").forEach(key -> dd.require(key, false));
            dd.require("resamp_with_conv", true);
            dd.require("attn_type", "vanilla");
            if (params.has("remap")) {
                throw params.wrong("remap", params.text("remap", ""), "no remapping of codes");
            }
            int resolution = dd.integer("resolution", 256);
            List<Integer> places = IntStream.of(dd.integersOrNone("attn_resolutions")).boxed().toList();
            boolean[] attends = new boolean[multiples.length];
            IntStream.range(0, attends.length).forEach(i -> attends[i] = places.contains(resolution >> i));
            int ch = dd.integer("ch", 128);
            if (dd.integer("out_ch", 3) != dd.integer("in_channels", 3)) {
                throw dd.wrong("out_ch", dd.integer("out_ch", 3), "in_channels " + dd.integer("in_channels", 3));
            }
            return new Config(VqNames.TAMING, quantizer, dd.integer("in_channels", 3), dd.integer("z_channels", 256),
                    params.integer("embed_dim", 256), params.integer("n_embed", 1024),
                    IntStream.of(multiples).map(m -> m * ch).toArray(), dd.integer("num_res_blocks", 2), 32, 1e-6, Activation.SILU,
                    attends, attends, true, false);
        }

        /** LlamaGen's files have no config: sizes are read from the tensors. Attention stands on the last level, norms have 32 groups. */
        public static Config llamaGen(TensorSource file) {
            VqNames n = VqNames.LLAMAGEN;
            int levels = count(file, "encoder." + n.down() + ".%d.res.0.conv1.weight");
            int layers = count(file, "encoder." + n.down() + ".0.res.%d.conv1.weight");
            int[] widths = IntStream.range(0, levels)
                    .map(i -> size(file, "encoder." + n.down() + "." + i + ".res.0.conv1.weight", 0)).toArray();
            boolean[] attends = new boolean[levels];
            if (levels > 0) {
                attends[levels - 1] = true;
            }
            return new Config(n, Quantizer.COSINE, size(file, "encoder.conv_in.weight", 1), size(file, "encoder.conv_out.weight", 0),
                    size(file, "quantize.embedding.weight", 1), size(file, "quantize.embedding.weight", 0), widths, layers, 32, 1e-6,
                    Activation.SILU, attends, attends, true, false);
        }

        private static int count(TensorSource file, String pattern) {
            return (int) IntStream.iterate(0, i -> i + 1).takeWhile(i -> file.names().contains(pattern.formatted(i))).count();
        }

        private static int size(TensorSource file, String name, int dim) {
            if (!file.names().contains(name)) {
                throw new CheckpointException(file.description() + ": no LlamaGen tokenizer: there is no tensor " + name);
            }
            return Math.toIntExact(file.shape(name)[dim]);
        }

        int last() {
            return widths[widths.length - 1];
        }
    }

    private final Config config;
    private final Encoder encoder;
    private final Conv2d quantConv;
    private final List<Conv2d> logits;
    private final Codebook codebook;
    private final Conv2d postQuantConv;
    private final Decoder decoder;

    public VqGan(Weights w, Config config) {
        this.config = config;
        boolean gumbel = config.quantizer == Quantizer.GUMBEL;
        Weights quantize = w.sub("quantize");
        encoder = new Encoder(w.sub("encoder"), config);
        quantConv = new Conv2d(w.sub("quant_conv"), config.zChannels, config.embed, 1);
        logits = gumbel ? List.of(new Conv2d(quantize.sub("proj"), config.zChannels, config.codes, 1)) : List.of();
        codebook = new Codebook(quantize.sub(gumbel ? "embed" : "embedding"), config.codes, config.embed,
                config.quantizer == Quantizer.COSINE);
        postQuantConv = new Conv2d(w.sub("post_quant_conv"), config.embed, config.zChannels, 1);
        decoder = new Decoder(w.sub("decoder"), config);
    }

    /** Names that a file may have besides: what only training needs. */
    public static boolean isExtra(String name) {
        return name.startsWith("loss.") || name.equals("quantize.codebook_used") || name.startsWith("quantize.ema_")
                || name.startsWith("model_ema.") || name.equals("colorize");
    }

    public Config config() {
        return config;
    }

    @Override
    public int codes() {
        return config.codes;
    }

    @Override
    public int factor() {
        return 1 << (config.widths.length - 1);
    }

    @Override
    public Tensor encode(Tensor pictures) {
        return codes(latents(pictures.mul(2).sub(1)));
    }

    @Override
    public Tensor decode(Tensor codes) {
        return picture(quantized(codes)).mul(0.5).add(0.5).clamp(0, 1);
    }

    /** Pictures (B, 3, H, W) in [-1, 1] to latents (B, embed, h, w). */
    public Tensor latents(Tensor x) {
        try (var scope = new Scope()) {
            return scope.keep(quantConv.forward(encoder.forward(x)));
        }
    }

    /** Latents (B, embed, h, w) to codes (B, h, w). */
    public Tensor codes(Tensor latents) {
        for (Conv2d conv : logits) {
            return conv.forward(latents).argmax(1);
        }
        return codebook.nearest(latents.permute(0, 2, 3, 1));
    }

    /** Codes (B, h, w) to latents (B, embed, h, w). */
    public Tensor quantized(Tensor codes) {
        return codebook.forward(codes).permute(0, 3, 1, 2);
    }

    /** Latents (B, embed, h, w), of codes or not, to pictures (B, 3, H, W), about [-1, 1]. */
    public Tensor picture(Tensor latents) {
        try (var scope = new Scope()) {
            return scope.keep(decoder.forward(postQuantConv.forward(latents), latents));
        }
    }

    /** Normalises x, in the decoder of a MoVQ by the latents. */
    @FunctionalInterface
    private interface Norm {
        Tensor forward(Tensor x, Tensor latents);
    }

    /** How the norms of the encoder or the decoder are built, and what those of attention are called. */
    private record Norms(BiFunction<Weights, Integer, Norm> builder, String ofAttention) {
        static Norms plain(Config c) {
            return new Norms((w, width) -> {
                GroupNorm norm = new GroupNorm(w, c.groups, width, c.eps);
                return (x, latents) -> norm.forward(x);
            }, c.names.attentionNorm());
        }

        static Norms spatial(Config c) {
            return new Norms((w, width) -> new SpatialNorm(w, width, c.embed, c.eps)::forward, "spatial_norm");
        }

        Norm of(Weights w, int width) {
            return builder.apply(w, width);
        }
    }

    private static final class Encoder {
        private final Conv2d convIn;
        private final List<Level> levels = new ArrayList<>();
        private final Middle middle;
        private final GroupNorm normOut;
        private final Conv2d convOut;

        Encoder(Weights w, Config c) {
            Norms norms = Norms.plain(c);
            convIn = new Conv2d(w.sub("conv_in"), c.channels, c.widths[0], 3);
            for (int i = 0; i < c.widths.length; i++) {
                Weights level = w.sub(c.names.down()).sub("" + i);
                int width = c.widths[i];
                int above = c.widths[Math.max(i - 1, 0)];
                levels.add(new Level(level, c, norms, c.layers, above, width, c.downAttends[i], i < c.widths.length - 1
                        ? List.of(new Conv2d(level.sub(c.names.downsample()), width, width, 3, 2, 0)) : List.of()));
            }
            middle = new Middle(w, c, norms);
            normOut = new GroupNorm(w.sub(c.names.normOut()), c.groups, c.last(), c.eps);
            convOut = new Conv2d(w.sub("conv_out"), c.last(), c.zChannels, 3);
        }

        Tensor forward(Tensor x) {                                                          // (B, 3, H, W)
            x = convIn.forward(x);
            for (Level level : levels) {
                x = level.forward(x, x, y -> Functional.pad(y, 0, 1, 0, 1));                 // (B, width, H/2^i, W/2^i)
            }
            return convOut.forward(normOut.forward(middle.forward(x, x)).silu());             // (B, z, h, w)
        }
    }

    /** Latents (B, zChannels, h, w) to pictures. */
    public static final class Decoder {
        private final Conv2d convIn;
        private final Middle middle;
        private final List<Level> levels = new ArrayList<>();
        private final Norm normOut;
        private final Conv2d convOut;

        public Decoder(Weights w, Config c) {
            int n = c.widths.length;
            Norms norms = c.spatial ? Norms.spatial(c) : Norms.plain(c);
            convIn = new Conv2d(w.sub("conv_in"), c.zChannels, c.last(), 3);
            middle = new Middle(w, c, norms);
            for (int i = n - 1; i >= 0; i--) {
                Weights level = w.sub(c.names.up()).sub("" + (c.names.upFromPicture() ? i : n - 1 - i));
                int width = c.widths[i];
                levels.add(new Level(level, c, norms, c.layers + 1, c.widths[Math.min(i + 1, n - 1)], width, c.upAttends[i],
                        i > 0 ? List.of(new Conv2d(level.sub(c.names.upsample()), width, width, 3)) : List.of()));
            }
            normOut = norms.of(w.sub(c.names.normOut()), c.widths[0]);
            convOut = new Conv2d(w.sub("conv_out"), c.widths[0], c.channels, 3);
        }

        /** z (B, z, h, w), and the latents that it was made of, which a MoVQ looks at again. */
        public Tensor forward(Tensor z, Tensor latents) {
            Tensor x = middle.forward(convIn.forward(z), latents);
            for (Level level : levels) {
                x = level.forward(x, latents, y -> Functional.upsampleNearest(y, 2 * y.size(2), 2 * y.size(3)));
            }
            return convOut.forward(normOut.forward(x, latents).silu());                        // (B, 3, H, W)
        }
    }

    /** Residual blocks, each with attention behind it where the level has it, then a change of size: {@code resize} and a convolution. */
    private static final class Level {
        private final List<ResBlock> resnets = new ArrayList<>();
        private final List<AttentionBlock> attentions = new ArrayList<>();
        private final List<Conv2d> resizer;

        Level(Weights w, Config c, Norms norms, int count, int in, int out, boolean attends, List<Conv2d> resizer) {
            for (int j = 0; j < count; j++) {
                resnets.add(new ResBlock(w.sub(c.names.resnet()).sub("" + j), c, norms, j == 0 ? in : out, out));
                if (attends) {
                    attentions.add(new AttentionBlock(w.sub(c.names.attention()).sub("" + j), c, norms, out));
                }
            }
            this.resizer = resizer;
        }

        Tensor forward(Tensor x, Tensor latents, UnaryOperator<Tensor> resize) {
            try (var scope = new Scope()) {
                for (int j = 0; j < resnets.size(); j++) {
                    x = resnets.get(j).forward(x, latents);
                    x = attentions.isEmpty() ? x : attentions.get(j).forward(x, latents);
                }
                for (Conv2d conv : resizer) {
                    x = conv.forward(resize.apply(x));
                }
                return scope.keep(x);
            }
        }
    }

    private static final class Middle {
        private final ResBlock before;
        private final List<AttentionBlock> attention;
        private final ResBlock after;

        Middle(Weights w, Config c, Norms norms) {
            before = new ResBlock(w.sub(c.names.middle().get(0)), c, norms, c.last(), c.last());
            attention = c.midAttention ? List.of(new AttentionBlock(w.sub(c.names.middle().get(1)), c, norms, c.last())) : List.of();
            after = new ResBlock(w.sub(c.names.middle().get(2)), c, norms, c.last(), c.last());
        }

        Tensor forward(Tensor x, Tensor latents) {
            x = before.forward(x, latents);
            for (AttentionBlock block : attention) {
                x = block.forward(x, latents);
            }
            return after.forward(x, latents);
        }
    }

    private static final class ResBlock {
        private final Norm norm1;
        private final Conv2d conv1;
        private final Norm norm2;
        private final Conv2d conv2;
        private final List<Conv2d> shortcut;
        private final Activation activation;

        ResBlock(Weights w, Config c, Norms norms, int in, int out) {
            norm1 = norms.of(w.sub("norm1"), in);
            conv1 = new Conv2d(w.sub("conv1"), in, out, 3);
            norm2 = norms.of(w.sub("norm2"), out);
            conv2 = new Conv2d(w.sub("conv2"), out, out, 3);
            shortcut = in == out ? List.of() : List.of(new Conv2d(w.sub(c.names.shortcut()), in, out, 1));
            activation = c.activation;
        }

        Tensor forward(Tensor x, Tensor latents) {                                          // (B, in, H, W)
            try (var scope = new Scope()) {
                Tensor h = conv1.forward(activation.apply(norm1.forward(x, latents)));
                h = conv2.forward(activation.apply(norm2.forward(h, latents)));                      // (B, out, H, W)
                return scope.keep((shortcut.isEmpty() ? x : shortcut.get(0).forward(x)).add(h));
            }
        }
    }

    /** Self-attention of one head over all places. */
    private static final class AttentionBlock {
        private final Norm norm;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;

        AttentionBlock(Weights w, Config c, Norms norms, int width) {
            List<String> names = c.names.projections();
            norm = norms.of(w.sub(norms.ofAttention), width);
            query = new Linear(w.sub(names.get(0), "query"), width, width);
            key = new Linear(w.sub(names.get(1), "key"), width, width);
            value = new Linear(w.sub(names.get(2), "value"), width, width);
            out = new Linear(w.sub(names.get(3), "proj_attn"), width, width);
        }

        Tensor forward(Tensor x, Tensor latents) {                                          // (B, C, H, W)
            try (var scope = new Scope()) {
                long b = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
                Tensor tokens = norm.forward(x, latents).permute(0, 2, 3, 1).reshape(b, h * w, c);   // (B, HW, C)
                tokens = out.forward(Attention.multiHead(query.forward(tokens), key.forward(tokens), value.forward(tokens), 1));
                return scope.keep(x.add(tokens.view(b, h, w, c).permute(0, 3, 1, 2)));
            }
        }
    }
}
