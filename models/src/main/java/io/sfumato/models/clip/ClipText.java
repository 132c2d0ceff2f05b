package io.sfumato.models.clip;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.nn.Attention;
import io.sfumato.nn.Embedding;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The text tower of CLIP (Radford et al. 2021, 2.4): a causal pre-norm Transformer. Checkpoint names are those of transformers'
 * {@code CLIPTextModel} and {@code CLIPTextModelWithProjection}, with or without the {@code text_model.} level.
 */
public final class ClipText {
    /** Buffers that older files carry; nothing is computed from them. */
    public static final String POSITION_IDS = "embeddings.position_ids";

    /**
     * @param projection width of the joint text-image space, or 0 for a model without the projection
     * @param endToken   the id whose first place is pooled; 2 in old configs means "the largest id" (see {@link #pool})
     */
    public record Config(int vocabulary, int positions, int width, int hidden, int layers, int heads, Activation activation, double eps,
                         int projection, int endToken) {
        public Config {
            if (heads < 1 || width % heads != 0) {
                throw new IllegalArgumentException("hidden_size " + width + " is not divisible by num_attention_heads " + heads);
            }
        }

        /** Reads a {@code config.json} of a {@code text_encoder} folder. */
        public static Config of(ConfigJson json) {
            boolean projected = json.has("architectures") && json.texts("architectures").contains("CLIPTextModelWithProjection");
            return new Config(json.integer("vocab_size", 49408), json.integer("max_position_embeddings", 77),
                    json.integer("hidden_size", 512),
                    json.integer("intermediate_size", 2048), json.integer("num_hidden_layers", 12), json.integer("num_attention_heads", 8),
                    Activation.of(json, "hidden_act", Activation.QUICK_GELU), json.number("layer_norm_eps", 1e-5),
                    projected ? json.integer("projection_dim", 512) : 0, json.integer("eos_token_id", 49407));
        }

        Config withProjection(int numbers) {
            return new Config(vocabulary, positions, width, hidden, layers, heads, activation, eps, numbers, endToken);
        }
    }

    private final Config config;
    private final Embedding tokenEmbedding;
    private final Embedding positionEmbedding;
    private final List<ClipLayer> layers;
    private final LayerNorm finalNorm;
    private final List<Linear> projection;

    public ClipText(Weights w, Config config) {
        this.config = config;
        Weights model = w.has("text_model") ? w.sub("text_model") : w;
        tokenEmbedding = new Embedding(model.sub("embeddings").sub("token_embedding"), config.vocabulary, config.width, 0.02);
        positionEmbedding = new Embedding(model.sub("embeddings").sub("position_embedding"), config.positions, config.width, 0.01);
        Weights stack = model.sub("encoder").sub("layers");
        layers = IntStream.range(0, config.layers).mapToObj(i -> new ClipLayer(stack.sub("" + i), config.width, config.hidden,
                config.activation, config.eps, (q, k, v) -> Attention.causal(q, k, v, config.heads))).toList();
        finalNorm = new LayerNorm(model.sub("final_layer_norm"), config.width, config.eps);
        projection = config.projection == 0 ? List.of()
                : List.of(Linear.withoutBias(w.sub("text_projection"), config.width, config.projection));
    }

    public Config config() {
        return config;
    }

    /**
     * The residual stream: entry 0 is the embedding, entry i the output of layer i, without the final norm.
     *
     * @param ids token ids (B, L) of int64, L at most {@code positions}
     * @return layers + 1 tensors (B, L, D)
     */
    public Tensor[] hiddenStates(Tensor ids) {
        long length = ids.size(1);
        if (length > config.positions) {
            throw new IllegalArgumentException(length + " tokens, where the text encoder has " + config.positions + " positions");
        }
        Tensor[] states = new Tensor[layers.size() + 1];
        states[0] = tokenEmbedding.forward(ids).add(positionEmbedding.first(length));     // (B, L, D)
        for (int i = 0; i < layers.size(); i++) {
            states[i + 1] = layers.get(i).forward(states[i]);
        }
        return states;
    }

    /** The output with the last {@code skip} layers left out (diffusers' {@code clip_skip}), after the final norm: (B, L, D). */
    public Tensor forward(Tensor ids, int skip) {
        requireSkip(skip);
        try (var scope = new Scope()) {
            return scope.keep(finalNorm.forward(hiddenStates(ids)[layers.size() - skip]));
        }
    }

    /** @throws IllegalArgumentException unless {@code skip} of the last layers can be left out */
    public void requireSkip(int skip) {
        if (skip < 0 || skip >= layers.size()) {
            throw new IllegalArgumentException("clip skip " + skip + ": this text encoder has " + layers.size() + " layers, so 0 to "
                    + (layers.size() - 1) + " may be skipped");
        }
    }

    /** The state at the first end token, or at the first largest id where the config says 2: (B, D). */
    public Tensor pool(Tensor last, Tensor ids) {
        Tensor at = (config.endToken == 2 ? ids : ids.eq(config.endToken).to(DType.I32)).argmax(-1);                     // (B)
        Tensor index = at.view(-1, 1, 1).expand(last.size(0), 1, last.size(2));                                         // (B, 1, D)
        return last.gather(1, index).squeeze(1);
    }

    /** Pooled states in the joint text-image space: (B, projection). */
    public Tensor project(Tensor pooled) {
        if (projection.isEmpty()) {
            throw new IllegalStateException("this text encoder has no text_projection");
        }
        return projection.get(0).forward(pooled);
    }
}
