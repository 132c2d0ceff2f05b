package io.sfumato;

import io.sfumato.image.Image;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Draws several pictures of a prompt and puts the best first, as DALL-E and Parti do with a contrastive model.
 *
 * <pre>{@code
 * List<Candidates.Scored> best = Candidates.draw(model, Prompt.of("a red apple"), options.withCount(16), scorer, Listener.none());
 * }</pre>
 */
public final class Candidates {
    /** Tells how well a picture fits a prompt: more is better. */
    @FunctionalInterface
    public interface Scorer {
        double score(Prompt prompt, Image image);
    }

    /** A picture, its score, and which of the batch it was, from 0. */
    public record Scored(Image image, double score, int candidate) {
    }

    private static final int AT_ONCE = 8;

    private Candidates() {
    }

    /** {@code options.count()} pictures of one prompt, the best first; of two with one score, the earlier. A few are drawn at once. */
    public static List<Scored> draw(TextToImage model, Prompt prompt, Options options, Scorer scorer, Listener listener) {
        List<Image> images = model.generate(List.of(new Wish(prompt, options)), AT_ONCE, listener);
        List<Scored> scored = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            scored.add(new Scored(images.get(i), scorer.score(prompt, images.get(i)), i));
        }
        scored.sort(Comparator.comparingDouble(Scored::score).reversed());
        return scored;
    }
}
