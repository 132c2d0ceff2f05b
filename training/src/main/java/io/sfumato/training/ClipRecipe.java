package io.sfumato.training;

import io.sfumato.models.clip.Clip;
import io.sfumato.models.clip.ClipText;
import io.sfumato.models.clip.ClipVision;
import io.sfumato.nn.Activation;
import java.nio.file.Path;

/**
 * How to train a small CLIP, as a YAML file says it. Every key is wanted; an unknown one is an error. A file with the key
 * {@code projection} is such a recipe.
 *
 * @param seed       of weights and the order of scenes
 * @param projection numbers of the space that both towers look into
 */
public record ClipRecipe(String name, long seed, Recipe.Data data, Recipe.Tokenizer tokenizer, Picture picture, Text text, int projection,
                         Recipe.Loop loop) {
    private static final double EPS = 1e-5;

    public ClipRecipe {
        require(data.size() % picture.patch == 0, "data has pictures of " + data.size() + " pixels, where a multiple of picture.patch "
                + picture.patch);
        require(projection >= 1, "projection is " + projection + ", where 1 or more");
        require(loop.batch() >= 2, "loop.batch is " + loop.batch() + ", where 2 or more, to tell apart,");
        loop.requireWholeBatches("each text is compared with all pictures of a batch");
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalArgumentException(what + " is wanted");
        }
    }

    /** The image tower. */
    public record Picture(int patch, int width, int hidden, int layers, int heads) {
        public Picture {
            tower(width, hidden, layers, heads);
            require(patch >= 1, "patch is " + patch + ", where 1 or more");
        }
    }

    /** The text tower. */
    public record Text(int width, int hidden, int layers, int heads) {
        public Text {
            tower(width, hidden, layers, heads);
        }
    }

    private static void tower(int width, int hidden, int layers, int heads) {
        require(heads >= 1 && width >= 1 && width % heads == 0,
                "width is " + width + " with heads " + heads + ", where a multiple of heads");
        require(hidden >= 1 && layers >= 1, "hidden is " + hidden + " and layers " + layers + ", where 1 or more of both");
    }

    /** @throws IllegalArgumentException for several processes */
    public void requireSharedBy(int processes) {
        require(processes == 1, "CLIP is to be trained by " + processes + " processes, and its loss compares each text with all pictures "
                + "of a batch: one process");
    }

    /** Whether a recipe is one of these. */
    public static boolean matches(Path file) {
        return Recipe.hasLine(file, line -> line.startsWith("projection:"));
    }

    /** @throws IllegalArgumentException naming the file and the key that is wrong */
    public static ClipRecipe read(Path file) {
        return Recipe.read(file, ClipRecipe.class);
    }

    /** @param end the id of the end token, whose state stands for the text */
    Clip.Config config(int words, int end) {
        return new Clip.Config(
                new ClipText.Config(words, tokenizer.length(), text.width, text.hidden, text.layers, text.heads, Activation.GELU, EPS,
                        projection, end),
                new ClipVision.Config(data.size(), picture.patch, 3, picture.width, picture.hidden, picture.layers, picture.heads,
                        Activation.GELU, EPS, projection));
    }
}
