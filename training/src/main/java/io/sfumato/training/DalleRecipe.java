package io.sfumato.training;

import io.sfumato.models.dalle.Dalle;
import io.sfumato.models.tokenizer.DVae;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How to train a small DALL-E, as a YAML file says it: a discrete VAE, then one stream of text and codes. Every key is wanted; an unknown
 * one is an error.
 *
 * @param kind    {@value #KIND}: what tells this recipe from others
 * @param seed    of weights, noise and the order of scenes
 * @param prompts what the sample sheets draw
 */
public record DalleRecipe(String kind, String name, long seed, Recipe.Data data, Recipe.Tokenizer tokenizer, Discrete discrete,
                          Transformer transformer, List<String> prompts) {
    static final String KIND = "dalle";
    /** The last file of the trained discrete VAE, in a run's folder. */
    static final String PICTURES = "model/dvae/decoder.safetensors";

    public DalleRecipe {
        require(kind.equals(KIND), "kind is " + kind + ", where " + KIND);
        require(!prompts.isEmpty(), "prompts is [], where at least one prompt");
        int factor = 1 << (discrete.groups - 1);
        require(data.size() % factor == 0, "data has pictures of " + data.size() + " pixels, where a multiple of " + factor + " for "
                + discrete.groups + " groups");
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalArgumentException(what + " is wanted");
        }
    }

    /**
     * The discrete VAE (Ramesh et al. 2021, appendix A).
     *
     * @param hidden          channels of the encoder's first group; each further one has twice as many
     * @param init            channels of the decoder's table of codes
     * @param groups          of blocks; between two of them the size changes by two
     * @param blocks          of a group
     * @param divergence      weight of the divergence from even use of the codes, 6.6 in the paper, grown to from 0
     * @param divergenceSteps steps that it takes to grow
     * @param coldest         temperature of the relaxation, 1/16 in the paper, come down to from 1
     * @param coldestSteps    steps that it takes to come down
     */
    public record Discrete(int hidden, int init, int groups, int blocks, int codes, double divergence, long divergenceSteps, double coldest,
                           long coldestSteps, Recipe.Loop loop) {
        public Discrete {
            new DVae.Config(hidden, init, groups, blocks, codes);
            loop.requireWholeBatches("its curve tells how many codes a whole batch uses");
            require(divergence >= 0, "divergence is " + divergence + ", where 0 or more");
            require(coldest > 0 && coldest <= 1, "coldest is " + coldest + ", where above 0 to 1");
            require(divergenceSteps >= 1 && coldestSteps >= 1, "divergenceSteps is " + divergenceSteps + " and coldestSteps " + coldestSteps
                    + ", where 1 or more of both");
        }

        DVae.Config config() {
            return new DVae.Config(hidden, init, groups, blocks, codes);
        }

        double temperature(long step) {
            return along(1, coldest, step, coldestSteps);
        }

        double weight(long step) {
            return along(0, divergence, step, divergenceSteps);
        }

        /** Half a cosine from one value to another, which then stays (A.2). */
        private static double along(double from, double to, long step, long steps) {
            return to + (from - to) * (0.5 + 0.5 * Math.cos(Math.PI * Math.min(1, (double) step / steps)));
        }
    }

    /**
     * The Transformer.
     *
     * @param window side of the square that its last layer sees, odd
     * @param scenes how many scenes are turned into codes once and drawn from
     */
    public record Transformer(int layers, int width, int heads, int window, int scenes, Recipe.Loop loop) {
        public Transformer {
            new Dalle.Config(layers, width, heads, 2, 1, 1, 1, window);
            require(scenes >= 1, "scenes is " + scenes + ", where 1 or more");
        }
    }

    /**
     * @param run where the training is
     * @throws IllegalArgumentException naming the loop whose batches {@code processes} cannot share evenly, and for several processes
     *     before the tokenizer of pictures is there
     */
    public void requireSharedBy(int processes, Path run) {
        Path last = run.resolve(PICTURES);
        if (processes > 1 && !Files.exists(last)) {
            throw new IllegalArgumentException("the tokenizer of pictures learns from whole batches: one process is wanted until "
                    + last + " is there, then " + processes + " can go on with the Transformer");
        }
        transformer.loop.requireSharedBy(processes, "transformer.loop");
    }

    /** Whether a recipe's file says that it is of this kind. */
    public static boolean matches(Path file) {
        return Recipe.hasLine(file, line -> line.strip().equals("kind: " + KIND));
    }

    /** @throws IllegalArgumentException naming the file and the key that is wrong */
    public static DalleRecipe read(Path file) {
        return Recipe.read(file, DalleRecipe.class);
    }

    Dalle.Config dalle(int vocabulary) {
        return new Dalle.Config(transformer.layers, transformer.width, transformer.heads, vocabulary, tokenizer.length(), discrete.codes,
                data.size() >> (discrete.groups - 1), transformer.window);
    }
}
