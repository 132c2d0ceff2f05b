package io.sfumato.models.clip;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The image tower of CLIP (Radford et al. 2021, 2.4): a vision Transformer whose class token is projected into the joint text-image
 * space. Checkpoint names are those of transformers' {@code CLIPVisionModelWithProjection}, with or without the {@code vision_model.}
 * level, and of the image half of {@code CLIPModel}.
 */
public final class ClipVision {
    /** Buffers that older files carry; nothing is computed from them. */
    public static final String POSITION_IDS = "embeddings.position_ids";

    /**
     * @param size       sides of the pictures
     * @param patch      sides of a patch; what is left over at the right and below is not seen
     * @param projection width of the joint text-image space
     */
    public record Config(int size, int patch, int channels, int width, int hidden, int layers, int heads, Activation activation, double eps,
                         int projection) {
        public Config {
            if (heads < 1 || width % heads != 0) {
                throw new IllegalArgumentException("hidden_size " + width + " is not divisible by num_attention_heads " + heads);
            }
            if (patch < 1 || patch > size) {
                throw new IllegalArgumentException("patch_size " + patch + " must be 1 to the image_size, " + size);
            }
        }

        /** Reads a {@code config.json} of an {@code image_encoder} folder. */
        public static Config of(ConfigJson json) {
            return new Config(json.integer("image_size", 224), json.integer("patch_size", 32), json.integer("num_channels", 3),
                    json.integer("hidden_size", 768), json.integer("intermediate_size", 3072), json.integer("num_hidden_layers", 12),
                    json.integer("num_attention_heads", 12), Activation.of(json, "hidden_act", Activation.QUICK_GELU),
                    json.number("layer_norm_eps", 1e-5), json.integer("projection_dim", 512));
        }

        Config withProjection(int numbers) {
            return new Config(size, patch, channels, width, hidden, layers, heads, activation, eps, numbers);
        }

        int positions() {
            return 1 + (size / patch) * (size / patch);
        }
    }

    private final Config config;
    private final Tensor classToken;
    private final Tensor patches;
    private final Embedding positions;
    private final LayerNorm normIn;
    private final List<ClipLayer> layers;
    private final LayerNorm normOut;
    private final Linear projection;

    public ClipVision(Weights w, Config c) {
        config = c;
        Weights model = w.has("vision_model") ? w.sub("vision_model") : w, embeddings = model.sub("embeddings");
        classToken = embeddings.get("class_embedding", Weights.Init.normal(Math.pow(c.width, -0.5)), c.width);
        patches = embeddings.sub("patch_embedding").getChannelsLast("weight", Weights.Init.normal(0.02), c.width, c.channels, c.patch,
                c.patch);
        positions = new Embedding(embeddings.sub("position_embedding"), c.positions(), c.width, 0.02);
        normIn = new LayerNorm(model.sub("pre_layrnorm"), c.width, c.eps);                  // so it is spelt in every file
        Weights stack = model.sub("encoder").sub("layers");
        layers = IntStream.range(0, c.layers).mapToObj(i -> new ClipLayer(stack.sub("" + i), c.width, c.hidden, c.activation, c.eps,
                (q, k, v) -> Attention.multiHead(q, k, v, c.heads))).toList();
        normOut = new LayerNorm(model.sub("post_layernorm"), c.width, c.eps);
        projection = Linear.withoutBias(w.sub("visual_projection"), c.width, c.projection);
    }

    public Config config() {
        return config;
    }

    /** Pictures (B, 3, size, size), normalised as the model was trained, to the states of all tokens, the class token first: (B, L, D). */
    public Tensor forward(Tensor x) {
        if (x.size(2) != config.size || x.size(3) != config.size) {
            throw new IllegalArgumentException("a picture of " + x.size(3) + "x" + x.size(2) + ", where the image encoder sees "
                    + config.size + "x" + config.size);
        }
        try (var scope = new Scope()) {
            Tensor none = Tensor.zeros(config.width).to(patches);
            Tensor tokens = Functional.conv2d(x, patches, none, config.patch, 0).flatten(2, 3).transpose(1, 2);     // (B, P, D)
            tokens = Tensor.cat(1, classToken.expand(x.size(0), 1, config.width), tokens);                          // (B, 1 + P, D)
            tokens = normIn.forward(tokens.add(positions.first(config.positions())));
            return scope.keep(Scope.chain(tokens, layers, ClipLayer::forward));
        }
    }

    /** The pictures in the joint text-image space, not of length one: (B, projection). */
    public Tensor embed(Tensor x) {
        try (var scope = new Scope()) {
            return scope.keep(projection.forward(normOut.forward(forward(x).select(1, 0))));
        }
    }
}
