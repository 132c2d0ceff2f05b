package io.sfumato;

import io.sfumato.image.Image;
import java.util.ArrayList;
import java.util.List;

/**
 * "Growing the cherry tree" (Yu et al. 2022, 6.2): a prompt that gets longer from line to line, each drawn from the same seed, as one sheet
 * that shows where a model stops following.
 */
public final class CherryTree {
    private CherryTree() {
    }

    /** A row for each prompt, {@code options.count()} pictures in it. */
    public static Image grow(TextToImage model, List<Prompt> prompts, Options options, Listener listener) {
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("at least one prompt is wanted");
        }
        List<Image> all = new ArrayList<>();
        for (Prompt prompt : prompts) {
            all.addAll(model.generate(prompt, options, listener));
        }
        return Image.grid(all, options.count());
    }
}
