package io.sfumato.training;

import io.sfumato.models.unclip.AutoregressivePrior;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How to train a small unCLIP (DALL-E 2), as a YAML file says it. Every key is wanted; an unknown one is an error.
 *
 * @param kind    {@value #KIND}: what tells this recipe from others
 * @param clip    a folder of transformers' {@code CLIPModel}, which is frozen; its pictures are as large as those of {@code data}
 * @param prompts what the sample grids draw
 */
public record UnclipRecipe(String kind, String name, long seed, String clip, Recipe.Data data, Prior prior, Decoder decoder,
                           Enlarger enlarger, List<String> prompts) {
    static final String KIND = "unclip";

    public UnclipRecipe {
        require(kind.equals(KIND), "kind", kind, KIND);
        require(!prompts.isEmpty(), "prompts", prompts, "at least one prompt");
        require(data.size() % decoder.size == 0 && data.size() > decoder.size, "decoder.size", decoder.size, "a part of the " + data.size()
                + " pixels of data");
        require(enlarger.crop <= data.size(), "enlarger.crop", enlarger.crop, "at most the " + data.size() + " pixels of data");
    }

    private static void require(boolean holds, String key, Object value, String wanted) {
        if (!holds) {
            throw new IllegalArgumentException(key + " is " + value + ", where " + wanted + " is wanted");
        }
    }

    private static void share(String key, double value) {
        require(value >= 0 && value <= 1, key, value, "0 to 1");
    }

    private static void levels(String part, int size, int[] widths, int layers, int groups) {
        require(layers >= 1, part + ".layers", layers, "1 or more");
        require(groups >= 1 && widths.length > 0 && Arrays.stream(widths).allMatch(w -> w > 0 && w % groups == 0), part + ".widths",
                Arrays.toString(widths), "a list of multiples of groups " + groups);
        int halves = 1 << (widths.length - 1);
        require(size >= halves && size % halves == 0, part, size + " pixels with " + widths.length + " widths", "a multiple of " + halves
                + " pixels");
    }

    /**
     * The prior (Ramesh et al. 2022, 2.2).
     *
     * @param textDropout share of examples without text, for guidance
     * @param scenes      whose embeddings tell the statistics that it works with
     * @param codes       none for the diffusion prior, or one for the autoregressive prior
     */
    public record Prior(int heads, int headWidth, int layers, double textDropout, int scenes, List<Codes> codes, Recipe.Loop loop) {
        public Prior {
            require(heads >= 1 && headWidth >= 2 && heads * headWidth % 2 == 0 && layers >= 1, "prior", heads + " heads of " + headWidth
                    + " in " + layers + " layers", "1 or more of an even width");
            share("prior.textDropout", textDropout);
            require(scenes >= 2, "prior.scenes", scenes, "2 or more");
            require(codes.size() <= 1, "prior.codes", codes, "a list of none or one");
        }
    }

    /** What the autoregressive prior writes, as {@link AutoregressivePrior.Config} has it. */
    public record Codes(int components, int buckets, int agreements) {
        public Codes {
            require(components >= 1, "codes.components", components, "1 or more");
            require(buckets >= 2, "codes.buckets", buckets, "2 or more");
            require(agreements >= 2, "codes.agreements", agreements, "2 or more");
        }
    }

    /**
     * The decoder (2.1): small pictures; all its levels but the first see the embedding and the text.
     *
     * @param context      width of the states that its attention sees
     * @param imageDropout share of examples without image embedding
     */
    public record Decoder(int size, int[] widths, int layers, int headWidth, int context, int groups, double imageDropout,
                          double textDropout, Recipe.Loop loop) {
        public Decoder {
            levels("decoder", size, widths, layers, groups);
            require(headWidth >= 1 && IntStream.range(1, widths.length).allMatch(i -> widths[i] % headWidth == 0), "decoder.headWidth",
                    headWidth, "a divisor of widths " + Arrays.toString(widths));
            require(context >= 1, "decoder.context", context, "1 or more");
            share("decoder.imageDropout", imageDropout);
            share("decoder.textDropout", textDropout);
        }
    }

    /**
     * The network that enlarges (2.1), which sees no text.
     *
     * @param crop side of the random parts of pictures that it is trained on
     */
    public record Enlarger(int crop, int[] widths, int layers, int headWidth, int groups, Recipe.Loop loop) {
        public Enlarger {
            levels("enlarger", crop, widths, layers, groups);
            require(headWidth >= 1 && widths[widths.length - 1] % headWidth == 0, "enlarger.headWidth", headWidth,
                    "a divisor of the last of widths " + Arrays.toString(widths));
        }
    }

    /** @throws IllegalArgumentException naming the loop whose batches {@code processes} cannot share evenly */
    public void requireSharedBy(int processes) {
        prior.loop.requireSharedBy(processes, "prior.loop");
        decoder.loop.requireSharedBy(processes, "decoder.loop");
        enlarger.loop.requireSharedBy(processes, "enlarger.loop");
    }

    /** Whether a recipe's file says that it is of this kind. */
    public static boolean fits(Path file) {
        return Recipe.hasLine(file, line -> line.strip().equals("kind: " + KIND));
    }

    /** @throws IllegalArgumentException naming the file and the key that is wrong */
    public static UnclipRecipe read(Path file) {
        return Recipe.read(file, UnclipRecipe.class);
    }
}
