package io.sfumato.models.tokenizer;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * ViT-VQGAN (Yu et al. 2022, "Vector-quantized image modeling with improved VQGAN", 3): Transformers on patches as encoder and decoder,
 * codes looked up in few dimensions and at length one. Loads the files of the open replica enhancing-transformers.
 */
public final class VitVqGan implements PictureTokenizer {
    private static final double EPS = 1e-5;

    /** One side: {@code headWidth} times {@code heads} need not be {@code width}. */
    public record Side(int width, int layers, int heads, int mlp, int headWidth) {
        public Side {
            if (width < 4 || width % 4 != 0 || layers < 1 || heads < 1 || mlp < 1 || headWidth < 1) {
                throw new IllegalArgumentException("dim " + width + " must be a multiple of 4; depth " + layers + ", heads " + heads
                        + ", mlp_dim " + mlp + " and dim_head " + headWidth + " at least 1");
            }
        }

        static Side of(ConfigJson json) {
            json.require("channels", 3);
            return new Side(json.integer("dim"), json.integer("depth"), json.integer("heads"), json.integer("mlp_dim"),
                    json.integer("dim_head", 64));
        }

        // As in the reference: one head of the model's own width is not projected back.
        private boolean projects() {
            return heads > 1 || headWidth != width;
        }
    }

    /**
     * @param embed      width of an entry of the codebook
     * @param normalised whether entries and latents are brought to length one
     * @param rounds     of residual search; 1 is plain quantising
     * @param residual   whether codes have an axis of rounds
     */
    public record Config(int height, int width, int patch, Side encoder, Side decoder, int embed, int codes, boolean normalised,
                         boolean residual, int rounds) {
        public Config {
            if (patch < 1 || height < patch || width < patch || height % patch != 0 || width % patch != 0) {
                throw new IllegalArgumentException("image_size " + height + "x" + width + " must be a multiple of patch_size " + patch);
            }
            if (embed < 1 || codes < 1 || rounds < 1) {
                throw new IllegalArgumentException("embed_dim " + embed + ", n_embed " + codes + " and num_quantizers " + rounds
                        + " must be at least 1");
            }
        }

        /** Reads the {@code model} of the replica's yaml. */
        public static Config of(ConfigJson model) {
            if (!model.text("target", "ViTVQ").endsWith("ViTVQ")) {
                throw model.wrong("target", model.text("target", ""), "enhancing.modules.stage1.vitvqgan.ViTVQ");
            }
            ConfigJson params = model.child("params"), quantizer = params.child("quantizer");
            int[] size = params.integers("image_size", 2, 256), patch = params.integers("patch_size", 2, 8);
            if (patch[0] != patch[1]) {
                throw params.wrong("patch_size", patch[0] + "x" + patch[1], "a square");
            }
            boolean residual = quantizer.flag("use_residual", false);
            return new Config(size[0], size[1], patch[0], Side.of(params.child("encoder")), Side.of(params.child("decoder")),
                    quantizer.integer("embed_dim"), quantizer.integer("n_embed"), quantizer.flag("use_norm", true), residual,
                    residual ? quantizer.integer("num_quantizers") : 1);
        }

        /** Small encoder, small decoder: Parti's tokenizer while its Transformer trains. */
        public static Config small() {
            return published(SMALL, SMALL);
        }

        public static Config base() {
            return published(new Side(768, 12, 12, 3072, 64), new Side(768, 12, 12, 3072, 64));
        }

        /** Small encoder, large decoder: what Parti draws with. */
        public static Config large() {
            return published(SMALL, new Side(1280, 32, 16, 5120, 80));
        }

        private static final Side SMALL = new Side(512, 8, 8, 2048, 64);

        private static Config published(Side encoder, Side decoder) {
            return new Config(256, 256, 8, encoder, decoder, 32, 8192, true, false, 1);
        }

        private int rows() {
            return height / patch;
        }

        private int columns() {
            return width / patch;
        }
    }

    private final Config config;
    private final Conv2d patches;
    private final Tensor encoderPlaces;
    private final Transformer encoder;
    private final Linear preQuant;
    private final Codebook codebook;
    private final Linear postQuant;
    private final Tensor decoderPlaces;
    private final Transformer decoder;
    private final Tensor pixelWeight;
    private final Tensor pixelBias;

    public VitVqGan(Weights w, Config config) {
        this.config = config;
        int in = config.encoder.width, out = config.decoder.width, p = config.patch;
        Weights e = w.sub("encoder"), d = w.sub("decoder");
        patches = new Conv2d(e.sub("to_patch_embedding").sub("0"), 3, in, p, p, 0);
        encoderPlaces = places(e, "en_pos_embedding", in);
        encoder = new Transformer(e.sub("transformer"), config.encoder);
        preQuant = new Linear(w.sub("pre_quant"), in, config.embed);
        codebook = new Codebook(w.sub("quantizer").sub("embedding"), config.codes, config.embed, config.normalised);
        postQuant = new Linear(w.sub("post_quant"), config.embed, out);
        decoderPlaces = places(d, "de_pos_embedding", out);
        decoder = new Transformer(d.sub("transformer"), config.decoder);
        pixelWeight = d.get("to_pixel.1.weight", Weights.Init.fanIn((long) out), out, 3, p, p);
        pixelBias = d.get("to_pixel.1.bias", Weights.Init.ZEROS, 3);
    }

    /** Fixed sines and cosines: they lie in the file, but are not trained. */
    private Tensor places(Weights w, String name, int width) {
        return w.get(name, (rng, shape) -> places(config.rows(), config.columns(), width), 1, (long) config.rows() * config.columns(),
                width).requiresGrad_(false);
    }

    /** Half of the width tells the column, the other the row: sines, then cosines of the place times 10000^(-4i/width). */
    static Tensor places(int rows, int columns, int width) {
        int quarter = width / 4;
        float[] table = new float[rows * columns * width];
        for (int place = 0; place < rows * columns; place++) {
            int[] axes = {place % columns, place / columns};
            for (int i = 0; i < 2 * quarter; i++) {
                double angle = axes[i / quarter] / Math.pow(10000, (i % quarter) / (double) quarter);
                int at = place * width + i / quarter * 2 * quarter + i % quarter;
                table[at] = (float) Math.sin(angle);
                table[at + quarter] = (float) Math.cos(angle);
            }
        }
        return Tensor.of(table, 1, (long) rows * columns, width);
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
        return config.patch;
    }

    @Override
    public Tensor encode(Tensor pictures) {
        Tensor codes = codes(latents(pictures));                                            // (B, N) or (B, N, rounds)
        return config.residual ? codes.view(codes.size(0), config.rows(), config.columns(), config.rounds)
                : codes.view(codes.size(0), config.rows(), config.columns());
    }

    @Override
    public Tensor decode(Tensor codes) {
        return picture(quantized(codes.flatten(1, 2))).clamp(0, 1);
    }

    /** Pictures (B, 3, H, W) in [0, 1] to latents (B, N, embed). */
    public Tensor latents(Tensor pictures) {
        if (pictures.size(2) != config.height || pictures.size(3) != config.width) {
            throw new IllegalArgumentException("pictures of " + pictures.size(3) + "x" + pictures.size(2)
                    + ", where this tokenizer reads " + config.width + "x" + config.height);
        }
        try (var scope = new Scope()) {
            Tensor x = patches.forward(pictures).flatten(2, 3).transpose(1, 2);             // (B, N, D)
            return scope.keep(preQuant.forward(encoder.forward(x.add(encoderPlaces))));     // (B, N, embed)
        }
    }

    /** Latents (B, N, embed) as they are compared with the codebook: of length one where the config says so. */
    public Tensor unit(Tensor latents) {
        return codebook.unit(latents);
    }

    /** Latents (B, N, embed) to codes (B, N), or (B, N, rounds): each round looks for the entry nearest to what is left. */
    public Tensor codes(Tensor latents) {
        Tensor[] codes = new Tensor[config.rounds];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = codebook.nearest(latents);
            latents = latents.sub(codebook.forward(codes[i]));
        }
        return config.residual ? Tensor.stack(-1, codes) : codes[0];
    }

    /** Codes (B, N) or (B, N, rounds) to latents (B, N, embed). */
    public Tensor quantized(Tensor codes) {
        Tensor entries = codebook.forward(codes);
        return config.residual ? entries.sum(false, 2) : entries;
    }

    /** Latents (B, N, embed) to pictures (B, 3, H, W), about [0, 1]. */
    public Tensor picture(Tensor latents) {
        try (var scope = new Scope()) {
            Tensor x = decoder.forward(postQuant.forward(latents).add(decoderPlaces));      // (B, N, D)
            x = x.transpose(1, 2).reshape(x.size(0), x.size(2), config.rows(), config.columns());
            return scope.keep(Functional.convTranspose2d(x, pixelWeight, pixelBias, config.patch));
        }
    }

    private static final class Transformer {
        private final List<Layer> layers = new ArrayList<>();
        private final LayerNorm norm;

        Transformer(Weights w, Side c) {
            for (int i = 0; i < c.layers; i++) {
                layers.add(new Layer(w.sub("layers").sub("" + i), c));
            }
            norm = new LayerNorm(w.sub("norm"), c.width, EPS);
        }

        Tensor forward(Tensor x) {
            for (Layer layer : layers) {
                x = layer.forward(x);
            }
            return norm.forward(x);
        }
    }

    private static final class Layer {
        private final LayerNorm attentionNorm;
        private final Linear qkv;
        private final List<Linear> out;
        private final LayerNorm mlpNorm;
        private final Linear up;
        private final Linear down;
        private final int heads;

        Layer(Weights w, Side c) {
            Weights attention = w.sub("0"), mlp = w.sub("1");
            int inner = c.heads * c.headWidth;
            attentionNorm = new LayerNorm(attention.sub("norm"), c.width, EPS);
            qkv = Linear.withoutBias(attention.sub("fn.to_qkv"), c.width, 3L * inner);
            out = c.projects() ? List.of(new Linear(attention.sub("fn.to_out"), inner, c.width)) : List.of();
            mlpNorm = new LayerNorm(mlp.sub("norm"), c.width, EPS);
            up = new Linear(mlp.sub("fn.net.0"), c.width, c.mlp);
            down = new Linear(mlp.sub("fn.net.2"), c.mlp, c.width);
            heads = c.heads;
        }

        Tensor forward(Tensor x) {                                                          // (B, N, D)
            try (var scope = new Scope()) {
                Tensor[] p = qkv.forward(attentionNorm.forward(x)).chunk(3, -1);            // q, k, v
                Tensor attended = Attention.multiHead(p[0], p[1], p[2], heads);
                x = x.add(out.isEmpty() ? attended : out.get(0).forward(attended));
                return scope.keep(x.add(down.forward(up.forward(mlpNorm.forward(x)).tanh())));
            }
        }
    }
}
