package io.sfumato.models.tokenizer;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.TensorSource;
import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The discrete VAE of DALL-E (Ramesh et al. 2021, 2.1 and appendix A): the encoder gives logits over codes for each place, the decoder
 * draws from a distribution over codes. Encoder and decoder are two files with OpenAI's names, {@code blocks.group_1.block_1...{w,b}}.
 */
public final class DVae implements PictureTokenizer {
    /** Keeps pictures away from 0 and 1, where the logit-Laplace density has no value (appendix A.3). */
    public static final double EPS = 0.1;

    /**
     * @param hidden channels of the encoder's first group; each further group has twice as many
     * @param init   channels of the decoder's table of codes
     * @param groups of residual blocks; between two of them the size changes by two
     * @param blocks of a group
     */
    public record Config(int hidden, int init, int groups, int blocks, int codes) {
        public Config {
            if (hidden < 4 || hidden % 4 != 0 || init < 1 || groups < 1 || blocks < 1 || codes < 1) {
                throw new IllegalArgumentException("hidden " + hidden + " must be a multiple of 4; init " + init + ", groups " + groups
                        + ", blocks " + blocks + " and codes " + codes + " at least 1");
            }
        }

        /** The released one: 8192 codes, a picture's sides divided by 8. */
        public static Config released() {
            return new Config(256, 128, 4, 2, 8192);
        }

        /** Reads the sizes from the tensors: the files have no config. */
        public static Config of(TensorSource encoder, TensorSource decoder) {
            Config c = new Config(size(encoder, "blocks.input.w", 0), size(decoder, "blocks.input.w", 0),
                    count(encoder, "blocks.group_%d.block_1.res_path.conv_1.w"),
                    count(encoder, "blocks.group_1.block_%d.res_path.conv_1.w"), size(encoder, "blocks.output.conv.w", 0));
            if (size(decoder, "blocks.input.w", 1) != c.codes) {
                throw new CheckpointException(decoder.description() + ": draws from " + size(decoder, "blocks.input.w", 1)
                        + " codes, but " + encoder.description() + " writes " + c.codes);
            }
            return c;
        }

        private static int count(TensorSource file, String pattern) {
            return (int) IntStream.iterate(1, i -> i + 1).takeWhile(i -> file.names().contains(pattern.formatted(i))).count();
        }

        private static int size(TensorSource file, String name, int dim) {
            if (!file.names().contains(name) || file.shape(name).length != 4) {
                throw new CheckpointException(file.description() + ": no encoder or decoder of DALL-E: there is no convolution " + name);
            }
            return Math.toIntExact(file.shape(name)[dim]);
        }

        int width(int group) {
            return hidden << group;
        }
    }

    private final Config config;
    private final Tower encoder;
    private final Tower decoder;

    public DVae(Weights encoder, Weights decoder, Config config) {
        this.config = config;
        int last = config.groups - 1;
        this.encoder = new Tower(encoder, config, new Conv(encoder.sub("blocks").sub("input"), 3, config.hidden, 7),
                IntStream.rangeClosed(0, last).map(config::width).toArray(), config.codes, new int[] {3, 3, 3, 1});
        this.decoder = new Tower(decoder, config, new Conv(decoder.sub("blocks").sub("input"), config.codes, config.init, 1),
                IntStream.rangeClosed(0, last).map(g -> config.width(last - g)).toArray(), 6, new int[] {1, 3, 3, 3});
    }

    /** Reads both files, each checked against the config. */
    public static DVae load(Weights encoder, Weights decoder, Config config) {
        // A tower looks into its own file alone, so each file is checked with the names that it gave out.
        return encoder.build(e -> decoder.build(d -> new DVae(e, d, config), name -> false), name -> false);
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
        return 1 << (config.groups - 1);
    }

    @Override
    public Tensor encode(Tensor pictures) {
        return logits(pictures).argmax(1);
    }

    @Override
    public Tensor decode(Tensor codes) {
        return picture(stats(codes));
    }

    /** Pictures (B, 3, H, W) in [0, 1] to logits (B, codes, h, w). */
    public Tensor logits(Tensor pictures) {
        return encoder.forward(encoder.input.forward(map(pictures)), x -> Functional.maxPool2d(x, 2));
    }

    /** Codes (B, h, w) to the mean and log scale of a Laplace distribution of each logit: (B, 6, H, W). */
    public Tensor stats(Tensor codes) {
        return decoder.forward(decoder.input.lookup(codes), DVae::twice);
    }

    /** As {@link #stats}, from a distribution over codes for each place (B, codes, h, w): the relaxation in training. */
    public Tensor relaxed(Tensor distribution) {
        return decoder.forward(decoder.input.forward(distribution), DVae::twice);
    }

    /** The most likely picture (B, 3, H, W) in [0, 1]. */
    public static Tensor picture(Tensor stats) {
        return stats.narrow(1, 0, 3).sigmoid().sub(EPS).div(1 - 2 * EPS).clamp(0, 1);
    }

    /** [0, 1] to [eps, 1 - eps]. */
    public static Tensor map(Tensor pictures) {
        return pictures.mul(1 - 2 * EPS).add(EPS);
    }

    private static Tensor twice(Tensor x) {
        return Functional.upsampleNearest(x, 2 * x.size(2), 2 * x.size(3));
    }

    /** Groups of residual blocks; {@code resize} runs between two groups. */
    private static final class Tower {
        private final Conv input;
        private final List<List<Block>> groups = new ArrayList<>();
        private final Conv output;

        Tower(Weights w, Config c, Conv input, int[] widths, int out, int[] kernels) {
            this.input = input;
            int in = input.out;
            for (int g = 0; g < widths.length; g++) {
                List<Block> group = new ArrayList<>();
                for (int b = 0; b < c.blocks; b++) {
                    Weights block = w.sub("blocks").sub("group_" + (g + 1)).sub("block_" + (b + 1));
                    group.add(new Block(block, in, widths[g], kernels, c.groups * c.blocks));
                    in = widths[g];
                }
                groups.add(group);
            }
            output = new Conv(w.sub("blocks").sub("output").sub("conv"), in, out, 1);
        }

        Tensor forward(Tensor x, UnaryOperator<Tensor> resize) {
            for (int g = 0; g < groups.size(); g++) {
                for (Block block : groups.get(g)) {
                    x = block.forward(x);
                }
                x = g < groups.size() - 1 ? resize.apply(x) : x;
            }
            return output.forward(x.relu());
        }
    }

    /** Four convolutions at a quarter of the width, divided by the square of the number of blocks (appendix A). */
    private static final class Block {
        private final List<Conv> identity;
        private final List<Conv> residual = new ArrayList<>();
        private final double gain;

        Block(Weights w, int in, int out, int[] kernels, int layers) {
            identity = in == out ? List.of() : List.of(new Conv(w.sub("id_path"), in, out, 1));
            for (int i = 0; i < 4; i++) {
                residual.add(new Conv(w.sub("res_path").sub("conv_" + (i + 1)), i == 0 ? in : out / 4, i == 3 ? out : out / 4, kernels[i]));
            }
            gain = 1.0 / (layers * layers);
        }

        Tensor forward(Tensor x) {                                                          // (B, in, H, W)
            try (var scope = new Scope()) {
                Tensor h = x;
                for (Conv conv : residual) {
                    h = conv.forward(h.relu());
                }
                return scope.keep((identity.isEmpty() ? x : identity.get(0).forward(x)).add(h.mul(gain)));    // (B, out, H, W)
            }
        }
    }

    private static final class Conv {
        private final int out;
        private final Tensor weight;
        private final Tensor bias;
        private final int kernel;

        Conv(Weights w, int in, int out, int kernel) {
            this.out = out;
            this.kernel = kernel;
            weight = w.getChannelsLast("w", Weights.Init.normal(1 / Math.sqrt((double) in * kernel * kernel)), out, in, kernel, kernel);
            bias = w.get("b", Weights.Init.ZEROS, out);
        }

        Tensor forward(Tensor x) {
            return Functional.conv2d(x, weight, bias, 1, kernel / 2);
        }

        /** What a one-hot input (B, in, h, w) would give for its ids (B, h, w). */
        Tensor lookup(Tensor ids) {
            Tensor table = weight.view(out, weight.size(1)).transpose(0, 1);                // (in, out)
            return Functional.embedding(table, ids).add(bias).permute(0, 3, 1, 2);          // (B, out, h, w)
        }
    }
}
