package io.sfumato.models.amused;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.Linear;
import io.sfumato.nn.RmsNorm;
import io.sfumato.nn.TimestepEmbedding;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The U-ViT of aMUSEd (Patil et al. 2024, 3.1, after Hoogeboom et al. 2023): masked codes of a picture in, logits over codes out;
 * convolutions and attention to the text around a Transformer. Checkpoint names are those of diffusers' {@code UVit2DModel}.
 */
public final class UVit2D {
    private static final double SKIP_EPS = 1e-6;

    /**
     * @param text        width of the text states
     * @param pooled      width of the pooled text
     * @param numberWidth of the sinusoids of each number that describes the picture
     * @param numbers     width of all of these together
     * @param codes       that are drawn
     * @param vocabulary  that is read: codes, the mask and padding
     * @param embedding   width of a code
     * @param channels    of the convolutions
     * @param resBlocks   on the way down, and up
     * @param resizes     whether the Transformer works at half the size
     */
    public record Config(int width, boolean bias, int text, int pooled, int numberWidth, int numbers, int codes, int vocabulary,
                         int embedding, int channels, int resBlocks, int blockHeads, boolean resizes, int layers, int heads,
                         int hidden, double eps, int side) {
        public Config {
            if (heads < 1 || width % heads != 0 || blockHeads < 1 || channels % blockHeads != 0) {
                throw new IllegalArgumentException("hidden_size " + width + " must be a multiple of num_attention_heads " + heads
                        + ", and block_out_channels " + channels + " of block_num_heads " + blockHeads);
            }
        }

        /** Reads the {@code config.json} of a {@code transformer} folder. */
        public static Config of(ConfigJson json) {
            json.require("ln_elementwise_affine", true);
            json.require("upsample", json.flag("downsample", false));
            return new Config(json.integer("hidden_size", 1024), json.flag("use_bias", false), json.integer("encoder_hidden_size", 768),
                    json.integer("cond_embed_dim", 768), json.integer("micro_cond_encode_dim", 256),
                    json.integer("micro_cond_embed_dim", 1280), json.integer("codebook_size", 8192), json.integer("vocab_size", 8256),
                    json.integer("in_channels", 768), json.integer("block_out_channels", 768), json.integer("num_res_blocks", 3),
                    json.integer("block_num_heads", 12), json.flag("downsample", false), json.integer("num_hidden_layers", 22),
                    json.integer("num_attention_heads", 16), json.integer("intermediate_size", 2816), json.number("layer_norm_eps", 1e-6),
                    json.integer("sample_size", 64));
        }
    }

    private final Config config;
    private final Linear textProjection;
    private final RmsNorm textNorm;
    private final Embedding embeddings;
    private final RmsNorm embedNorm;
    private final Linear embedConv;
    private final Linear condition1;
    private final Linear condition2;
    private final List<Resize> downsample;
    private final Side down;
    private final RmsNorm toHiddenNorm;
    private final Linear toHidden;
    private final List<Layer> layers;
    private final RmsNorm fromHiddenNorm;
    private final Linear fromHidden;
    private final Side up;
    private final List<Resize> upsample;
    private final Linear headConv1;
    private final RmsNorm headNorm;
    private final Linear headConv2;

    public UVit2D(Weights w, Config c) {
        config = c;
        Weights embed = w.sub("embed"), head = w.sub("mlm_layer");
        textProjection = Linear.of(w.sub("encoder_proj"), c.text, c.width, c.bias);
        textNorm = new RmsNorm(w.sub("encoder_proj_layer_norm"), c.width, c.eps);
        embeddings = new Embedding(embed.sub("embeddings"), c.vocabulary, c.embedding, 0.02);
        embedNorm = new RmsNorm(embed.sub("layer_norm"), c.embedding, c.eps);
        embedConv = Linear.of(embed.sub("conv"), c.embedding, c.channels, c.bias);
        condition1 = Linear.of(w.sub("cond_embed").sub("linear_1"), c.numbers + (long) c.pooled, c.width, c.bias);
        condition2 = Linear.of(w.sub("cond_embed").sub("linear_2"), c.width, c.width, c.bias);
        downsample = c.resizes ? List.of(new Resize(w.sub("down_block").sub("downsample"), c)) : List.of();
        down = new Side(w.sub("down_block"), c);
        toHiddenNorm = new RmsNorm(w.sub("project_to_hidden_norm"), c.channels, c.eps);
        toHidden = Linear.of(w.sub("project_to_hidden"), c.channels, c.width, c.bias);
        layers = IntStream.range(0, c.layers).mapToObj(i -> new Layer(w.sub("transformer_layers").sub("" + i), c)).toList();
        fromHiddenNorm = new RmsNorm(w.sub("project_from_hidden_norm"), c.width, c.eps);
        fromHidden = Linear.of(w.sub("project_from_hidden"), c.width, c.channels, c.bias);
        up = new Side(w.sub("up_block"), c);
        upsample = c.resizes ? List.of(new Resize(w.sub("up_block").sub("upsample"), c)) : List.of();
        headConv1 = Linear.of(head.sub("conv1"), c.channels, c.embedding, c.bias);
        headNorm = new RmsNorm(head.sub("layer_norm"), c.embedding, c.eps);
        headConv2 = Linear.of(head.sub("conv2"), c.embedding, c.codes, c.bias);
    }

    public Config config() {
        return config;
    }

    /**
     * @param codes   (B, h, w) of int64, masked ones among them
     * @param text    states of the text (B, L, text)
     * @param pooled  (B, pooled)
     * @param numbers width, height, crop and aesthetic score of the picture, (B, 5)
     * @return logits (B, h, w, codes)
     */
    public Tensor forward(Tensor codes, Tensor text, Tensor pooled, Tensor numbers) {
        try (var scope = new Scope()) {
            Tensor context = textNorm.forward(textProjection.forward(text));                            // (B, L, D)
            Tensor waves = TimestepEmbedding.sinusoid(numbers.flatten(0, 1), config.numberWidth, true, 0);
            Tensor condition = Tensor.cat(1, pooled, waves.view(codes.size(0), -1).to(pooled));
            condition = condition2.forward(condition1.forward(condition).silu()).silu();                // (B, D), used behind a SiLU only
            Tensor x = embedConv.forward(embedNorm.forward(embeddings.forward(codes)));                 // (B, h, w, C)
            for (Resize resize : downsample) {
                x = resize.halved(x);
            }
            x = down.forward(x, condition, context);
            long h = x.size(1), w = x.size(2);
            Tensor tokens = toHidden.forward(toHiddenNorm.forward(x.flatten(1, 2)));                    // (B, hw, D)
            for (Layer layer : layers) {
                tokens = layer.forward(tokens, condition, context);
            }
            x = fromHidden.forward(fromHiddenNorm.forward(tokens)).view(codes.size(0), h, w, config.channels);
            x = up.forward(x, condition, context);
            for (Resize resize : upsample) {
                x = resize.doubled(x);
            }
            return scope.keep(headConv2.forward(headNorm.forward(headConv1.forward(x))));
        }
    }

    /** A norm, and a convolution of 2x2 that halves the size or, transposed, doubles it. Channels last. */
    private static final class Resize {
        private final RmsNorm norm;
        private final Tensor weight;
        private final List<Tensor> bias;

        Resize(Weights w, Config c) {
            norm = new RmsNorm(w.sub("norm"), c.channels, c.eps);
            weight = w.get("conv.weight", Weights.Init.fanIn(4L * c.channels), c.channels, c.channels, 2, 2);
            bias = c.bias ? List.of(w.get("conv.bias", Weights.Init.ZEROS, c.channels)) : List.of();
        }

        Tensor halved(Tensor x) {                                                           // (B, h, w, C)
            Tensor y = Functional.pad(norm.forward(x).permute(0, 3, 1, 2), 0, 1, 0, 1);
            return Functional.conv2d(y, weight, bias(y, bias), 2, 0).permute(0, 2, 3, 1);
        }

        Tensor doubled(Tensor x) {
            Tensor y = norm.forward(x).permute(0, 3, 1, 2);
            return Functional.convTranspose2d(y, weight, bias(y, bias), 2).permute(0, 2, 3, 1);
        }
    }

    private static Tensor bias(Tensor like, List<Tensor> bias) {
        return bias.isEmpty() ? Tensor.zeros(like.size(1)).to(like) : bias.get(0);
    }

    /** What is on either side of the Transformer. */
    private static final class Side {
        private final List<ConvNext> convolutions;
        private final List<SkipAttention> attentions;

        Side(Weights w, Config c) {
            convolutions = IntStream.range(0, c.resBlocks).mapToObj(i -> new ConvNext(w.sub("res_blocks").sub("" + i), c)).toList();
            attentions = IntStream.range(0, c.resBlocks).mapToObj(i -> new SkipAttention(w.sub("attention_blocks").sub("" + i), c))
                    .toList();
        }

        Tensor forward(Tensor x, Tensor condition, Tensor context) {
            for (int i = 0; i < convolutions.size(); i++) {
                x = convolutions.get(i).forward(x, condition);
                long b = x.size(0), h = x.size(1), w = x.size(2), c = x.size(3);
                x = attentions.get(i).forward(x.reshape(b, h * w, c), context).view(b, h, w, c);
            }
            return x;
        }
    }

    /** A block of ConvNeXt V2 (Woo et al. 2023), scaled and shifted by the condition. */
    private static final class ConvNext {
        private final Tensor depthwise;
        private final List<Tensor> depthwiseBias;
        private final RmsNorm norm;
        private final Linear up;
        private final Tensor gamma;
        private final Tensor beta;
        private final Linear down;
        private final Linear mapper;

        ConvNext(Weights w, Config c) {
            int wide = 4 * c.channels;
            depthwise = w.get("depthwise.weight", Weights.Init.fanIn(9), c.channels, 1, 3, 3);
            depthwiseBias = c.bias ? List.of(w.get("depthwise.bias", Weights.Init.ZEROS, c.channels)) : List.of();
            norm = new RmsNorm(w.sub("norm"), c.channels, c.eps);
            up = Linear.of(w.sub("channelwise_linear_1"), c.channels, wide, c.bias);
            gamma = w.get("channelwise_norm.gamma", Weights.Init.ZEROS, 1, 1, 1, wide);
            beta = w.get("channelwise_norm.beta", Weights.Init.ZEROS, 1, 1, 1, wide);
            down = Linear.of(w.sub("channelwise_linear_2"), wide, c.channels, c.bias);
            mapper = Linear.of(w.sub("cond_embeds_mapper"), c.width, 2L * c.channels, c.bias);
        }

        Tensor forward(Tensor x, Tensor condition) {                                        // (B, h, w, C)
            try (var scope = new Scope()) {
                Tensor y = x.permute(0, 3, 1, 2);
                y = norm.forward(Functional.depthwiseConv2d(y, depthwise, bias(y, depthwiseBias), 1).permute(0, 2, 3, 1));
                y = up.forward(y).gelu();                                                   // (B, h, w, 4C)
                Tensor response = y.square().sum(true, 1, 2).sqrt();
                response = response.div(response.mean(true, -1).add(1e-6));
                y = down.forward(gamma.mul(y.mul(response)).add(beta).add(y)).add(x);
                Tensor[] m = mapper.forward(condition).unsqueeze(1).unsqueeze(1).chunk(2, -1);
                return scope.keep(y.mul(m[0].add(1)).add(m[1]));
            }
        }
    }

    /** Twice attention to the text, without a feed-forward layer. */
    private static final class SkipAttention {
        private final List<Linear> mapper;
        private final RmsNorm norm1;
        private final Projections attn1;
        private final RmsNorm norm2;
        private final Projections attn2;

        SkipAttention(Weights w, Config c) {
            mapper = c.width == c.channels ? List.of() : List.of(Linear.of(w.sub("kv_mapper"), c.width, c.channels, c.bias));
            norm1 = new RmsNorm(w.sub("norm1"), c.channels, SKIP_EPS);
            attn1 = new Projections(w.sub("attn1"), c.channels, c.blockHeads, c.bias);
            norm2 = new RmsNorm(w.sub("norm2"), c.channels, SKIP_EPS);
            attn2 = new Projections(w.sub("attn2"), c.channels, c.blockHeads, c.bias);
        }

        Tensor forward(Tensor x, Tensor context) {                                          // (B, hw, C)
            try (var scope = new Scope()) {
                Tensor seen = mapper.isEmpty() ? context : mapper.get(0).forward(context.silu());
                x = x.add(attn1.forward(norm1.forward(x), seen));
                return scope.keep(x.add(attn2.forward(norm2.forward(x), seen)));
            }
        }
    }

    /** Self-attention, attention to the text, and a gated feed-forward layer, each behind a norm that the condition scales and shifts. */
    private static final class Layer {
        private final Modulated norm1;
        private final Projections attn1;
        private final Modulated norm2;
        private final Projections attn2;
        private final Modulated norm3;
        private final Linear up;
        private final Linear down;

        Layer(Weights w, Config c) {
            norm1 = new Modulated(w.sub("norm1"), c, rms(w.sub("norm1"), c));
            attn1 = new Projections(w.sub("attn1"), c.width, c.heads, c.bias);
            norm2 = new Modulated(w.sub("norm2"), c, rms(w.sub("norm2"), c));
            attn2 = new Projections(w.sub("attn2"), c.width, c.heads, c.bias);
            norm3 = new Modulated(w.sub("norm3"), c, centred(w.sub("norm3").sub("norm"), c));
            up = Linear.of(w.sub("ff.net.0.proj"), c.width, 2L * c.hidden, c.bias);
            down = Linear.of(w.sub("ff.net.2"), c.hidden, c.width, c.bias);
        }

        private static UnaryOperator<Tensor> rms(Weights w, Config c) {
            return new RmsNorm(w.sub("norm"), c.width, c.eps)::forward;
        }

        /** Before the feed-forward layer, the mean is taken off, too. */
        private static UnaryOperator<Tensor> centred(Weights w, Config c) {
            Tensor weight = w.get("weight", Weights.Init.ONES, c.width);
            List<Tensor> bias = c.bias ? List.of(w.get("bias", Weights.Init.ZEROS, c.width)) : List.of();
            return x -> Functional.layerNorm(x, weight, bias.isEmpty() ? Tensor.zeros(c.width).to(x) : bias.get(0), c.eps);
        }

        Tensor forward(Tensor x, Tensor condition, Tensor context) {                        // (B, hw, D)
            try (var scope = new Scope()) {
                Tensor h = norm1.forward(x, condition);
                x = x.add(attn1.forward(h, h));
                x = x.add(attn2.forward(norm2.forward(x, condition), context));
                return scope.keep(down.plus(up.geglu(norm3.forward(x, condition)), x));
            }
        }
    }

    private static final class Modulated {
        private final Linear linear;
        private final UnaryOperator<Tensor> norm;

        Modulated(Weights w, Config c, UnaryOperator<Tensor> norm) {
            linear = Linear.of(w.sub("linear"), c.width, 2L * c.width, c.bias);
            this.norm = norm;
        }

        Tensor forward(Tensor x, Tensor condition) {
            Tensor[] m = linear.forward(condition).unsqueeze(1).chunk(2, -1);               // scale, shift: (B, 1, D)
            return norm.apply(x).mul(m[0].add(1)).add(m[1]);
        }
    }

    private static final class Projections {
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final int heads;

        Projections(Weights w, int width, int heads, boolean bias) {
            query = Linear.of(w.sub("to_q"), width, width, bias);
            key = Linear.of(w.sub("to_k"), width, width, bias);
            value = Linear.of(w.sub("to_v"), width, width, bias);
            out = Linear.of(w.sub("to_out.0"), width, width, bias);
            this.heads = heads;
        }

        Tensor forward(Tensor x, Tensor context) {
            return out.forward(Attention.multiHead(query.forward(x), key.forward(context), value.forward(context), heads));
        }
    }
}
