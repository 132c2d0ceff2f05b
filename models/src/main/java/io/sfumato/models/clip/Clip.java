package io.sfumato.models.clip;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.Weights;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * CLIP (Radford et al. 2021, figure 3): a text and a picture become directions in one space, near each other where the text tells what
 * the picture shows. Checkpoint names are those of transformers' {@code CLIPModel}.
 */
public final class Clip {
    /** The scale that cosines begin with, 1 / 0.07, and what it is clipped at (2.5). */
    private static final double FIRST_SCALE = 1 / 0.07;
    private static final double LARGEST_SCALE = 100;

    public record Config(ClipText.Config text, ClipVision.Config vision) {
        public Config {
            if (text.projection() != vision.projection() || text.projection() < 1) {
                throw new IllegalArgumentException("texts become " + text.projection() + " numbers and pictures " + vision.projection()
                        + ", where as many of both are wanted");
            }
        }

        /** Reads the {@code config.json} of a {@code CLIPModel}. */
        public static Config of(ConfigJson json) {
            for (String tower : new String[] {"text_config", "vision_config"}) {
                if (!json.has(tower)) {
                    throw new CheckpointException(json.source() + ": there is no " + tower + ": a CLIP of both towers is wanted");
                }
            }
            int projection = json.integer("projection_dim", 512);
            return new Config(ClipText.Config.of(json.child("text_config")).withProjection(projection),
                    ClipVision.Config.of(json.child("vision_config")).withProjection(projection));
        }
    }

    private final ClipText text;
    private final ClipVision vision;
    private final Tensor logScale;

    public Clip(Weights w, Config config) {
        text = new ClipText(w, config.text);
        vision = new ClipVision(w, config.vision);
        logScale = w.get("logit_scale", (rng, shape) -> Tensor.full(Math.log(FIRST_SCALE), shape));
    }

    /** Texts (B, L) as directions: (B, E) of length one. */
    public Tensor texts(Tensor ids) {
        try (var scope = new Scope()) {
            return scope.keep(unit(text.project(text.pool(text.forward(ids, 0), ids))));
        }
    }

    /** Pictures (B, 3, S, S), normalised as the model was trained, as directions: (B, E) of length one. */
    public Tensor pictures(Tensor x) {
        try (var scope = new Scope()) {
            return scope.keep(unit(vision.embed(x)));
        }
    }

    /** What cosines are multiplied by: the inverse temperature, at most 100. */
    public Tensor scale() {
        return logScale.exp().clamp(0, LARGEST_SCALE);
    }

    /**
     * How badly each of the pictures (B, 3, S, S) finds its own text (B, L) among those of the batch, and each text its picture: the mean
     * of both cross-entropies.
     */
    public Tensor loss(Tensor pictures, Tensor ids) {
        try (var scope = new Scope()) {
            Tensor logits = pictures(pictures).matmul(texts(ids).transpose(0, 1)).mul(scale());              // (B, B)
            Tensor own = Tensor.arange(ids.size(0));
            return scope.keep(Functional.crossEntropy(logits, own).add(Functional.crossEntropy(logits.transpose(0, 1), own)).mul(0.5));
        }
    }

    private static Tensor unit(Tensor x) {
        return x.div(x.square().sum(true, -1).sqrt());
    }
}
