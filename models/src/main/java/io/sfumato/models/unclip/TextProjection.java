package io.sfumato.models.unclip;

import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.nn.LayerNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * What unCLIP's decoder is told (Ramesh et al. 2022, 2.1): CLIP's embeddings as a vector that is added to the time and as tokens before
 * the text. Checkpoint names are those of diffusers' {@code UnCLIPTextProjModel}, the {@code text_proj} of Karlo.
 */
public final class TextProjection {
    /**
     * @param embed     width of CLIP's embeddings
     * @param tokens    that an image embedding becomes
     * @param timeWidth width of the decoder's time embedding
     * @param context   width of the states that the decoder's attention sees
     */
    public record Config(int embed, int tokens, int timeWidth, int context) {
        public Config {
            if (embed < 1 || tokens < 1 || timeWidth < 1 || context < 1) {
                throw new IllegalArgumentException("clip_embeddings_dim " + embed + ", clip_extra_context_tokens " + tokens
                        + ", time_embed_dim " + timeWidth + " and cross_attention_dim " + context + " must be at least 1");
            }
        }

        /** Reads the {@code config.json} of a {@code text_proj} folder. */
        public static Config of(ConfigJson json) {
            return new Config(json.integer("clip_embeddings_dim", 768), json.integer("clip_extra_context_tokens", 4),
                    json.integer("time_embed_dim"), json.integer("cross_attention_dim"));
        }
    }

    /** What is added to the time (B, timeWidth), and the states that attention sees (B, tokens + L, context). */
    public record Told(Tensor label, Tensor states) {
    }

    private final Config config;
    private final Tensor noImage;
    private final Linear textLabel;
    private final Linear imageLabel;
    private final Linear imageTokens;
    private final Linear textStates;
    private final LayerNorm textNorm;

    public TextProjection(Weights w, Config c) {
        config = c;
        noImage = w.get("learned_classifier_free_guidance_embeddings", c.embed);
        textLabel = new Linear(w.sub("embedding_proj"), c.embed, c.timeWidth);
        imageLabel = new Linear(w.sub("clip_image_embeddings_project_to_time_embeddings"), c.embed, c.timeWidth);
        imageTokens = new Linear(w.sub("clip_extra_context_tokens_proj"), c.embed, (long) c.tokens * c.context);
        textStates = new Linear(w.sub("encoder_hidden_states_proj"), c.embed, c.context);
        textNorm = new LayerNorm(w.sub("text_encoder_hidden_states_norm"), c.context, 1e-5);
    }

    public Config config() {
        return config;
    }

    /** The embedding that stands for no image, {@code n} times: (n, embed). */
    public Tensor noImage(long n) {
        return noImage.unsqueeze(0).expand(n, config.embed);
    }

    /** Embeddings of image and text (B, embed) and the text's states (B, L, embed), as the decoder sees them. */
    public Told forward(Tensor image, Tensor text, Tensor states) {
        try (var scope = new Scope()) {
            Tensor label = imageLabel.forward(image).add(textLabel.forward(text));                                  // (B, T)
            // Numbers of one channel stand together, one for each token.
            Tensor tokens = imageTokens.forward(image).view(-1, config.context, config.tokens).transpose(1, 2);     // (B, tokens, E)
            Tensor seen = textNorm.forward(textStates.forward(states));                                             // (B, L, E)
            return new Told(scope.keep(label), scope.keep(Tensor.cat(1, tokens, seen)));
        }
    }
}
