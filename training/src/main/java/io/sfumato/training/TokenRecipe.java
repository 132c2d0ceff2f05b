package io.sfumato.training;

import io.sfumato.models.parti.Parti;
import io.sfumato.models.tokenizer.VitVqGan;
import java.nio.file.Path;
import java.util.List;

/**
 * How to train a small Parti, as a YAML file says it: a ViT-VQGAN, then a Transformer on its codes. Every key is wanted; an unknown one is
 * an error. A file with the key {@code pictures} is such a recipe.
 *
 * @param seed    of weights, noise and the order of scenes
 * @param prompts what the sample sheets draw
 */
public record TokenRecipe(String name, long seed, Recipe.Data data, Recipe.Tokenizer tokenizer, Pictures pictures, Transformer transformer,
                          List<String> prompts) {
    public TokenRecipe {
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("prompts is [], where at least one prompt is wanted");
        }
        if (data.size() % pictures.patch != 0) {
            throw new IllegalArgumentException("data has pictures of " + data.size() + " pixels, where a multiple of pictures.patch "
                    + pictures.patch + " is wanted");
        }
        if (tokenizer.length() < 1) {
            throw new IllegalArgumentException("tokenizer.length is " + tokenizer.length() + ", where 1 or more is wanted");
        }
    }

    /**
     * The tokenizer of pictures.
     *
     * @param commitment  of latents to their entries
     * @param perceptual  weight of how different pictures look
     * @param lpips       a folder of LPIPS's files to tell that, or empty for a small frozen network of random weights
     * @param adversarial weight of the discriminator, besides the one that adapts
     * @param adversary   the step that the discriminator begins at
     * @param restart     batches after which an unused entry is begun anew
     */
    public record Pictures(int patch, int width, int layers, int heads, int mlp, int embed, int codes, double commitment, double perceptual,
                           String lpips, double adversarial, long adversary, long restart, Recipe.Loop loop) {
        public Pictures {
            loop.requireWholeBatches("the adversary's weight is found from a whole batch");
        }
    }

    /**
     * The Transformer.
     *
     * @param textDropout share of texts replaced by the empty one, for guidance
     * @param scenes      how many scenes are turned into codes once and drawn from
     */
    public record Transformer(int encoderLayers, int decoderLayers, int width, int mlp, int heads, int near, double textDropout, int scenes,
                              Recipe.Loop loop) {
        public Transformer {
            if (!(textDropout >= 0 && textDropout <= 1) || scenes < 1) {
                throw new IllegalArgumentException("textDropout is " + textDropout + " and scenes " + scenes
                        + ", where 0 to 1, and 1 or more, are wanted");
            }
        }
    }

    /** Whether a recipe is one of these. */
    public static boolean matches(Path file) {
        return Recipe.hasLine(file, line -> line.startsWith("pictures:"));
    }

    /** @throws IllegalArgumentException naming the file and the key that is wrong */
    public static TokenRecipe read(Path file) {
        return Recipe.read(file, TokenRecipe.class);
    }

    VitVqGan.Config vit() {
        VitVqGan.Side side = new VitVqGan.Side(pictures.width, pictures.layers, pictures.heads, pictures.mlp,
                pictures.width / pictures.heads);
        return new VitVqGan.Config(data.size(), data.size(), pictures.patch, side, side, pictures.embed, pictures.codes, true, false,
                1);
    }

    Parti.Config parti(int words) {
        return new Parti.Config(transformer.encoderLayers, transformer.decoderLayers, transformer.width, transformer.mlp, transformer.heads,
                words + 1, tokenizer.length(), pictures.codes, data.size() / pictures.patch, transformer.near);
    }
}
