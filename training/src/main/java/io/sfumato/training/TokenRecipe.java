package io.sfumato.training;

import com.fasterxml.jackson.annotation.JacksonInject;
import com.fasterxml.jackson.annotation.OptBoolean;
import io.sfumato.families.TextIds;
import io.sfumato.models.parti.Parti;
import io.sfumato.models.tokenizer.VitVqGan;
import io.sfumato.text.UnigramTrainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How to train a small Parti, as a YAML file says it: a ViT-VQGAN, then a Transformer on its codes. Every key is wanted but the
 * tokenizer's {@code kind} and the two stages that may be left out; an unknown one is an error. A file with the key {@code pictures} is
 * such a recipe.
 *
 * @param seed          of weights, noise and the order of scenes
 * @param captionsAlone none, or a stage before the Transformer's
 * @param decoderAlone  none, or a stage after it
 * @param prompts       what the sample sheets draw
 */
public record TokenRecipe(String name, long seed, Recipe.Data data, Words tokenizer, Pictures pictures, Transformer transformer,
                          @JacksonInject(value = "captionsAlone", useInput = OptBoolean.TRUE) List<CaptionsAlone> captionsAlone,
                          @JacksonInject(value = "decoderAlone", useInput = OptBoolean.TRUE) List<DecoderAlone> decoderAlone,
                          List<String> prompts) {
    /** What the trained tokenizer of pictures is in, in a run's folder. */
    static final String PICTURES = "model/vq/model.safetensors";
    /** What the encoder trained on captions alone is in. */
    static final String ENCODER = "encoder.safetensors";

    public TokenRecipe {
        requireOne("captionsAlone", captionsAlone);
        requireOne("decoderAlone", decoderAlone);
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("prompts is [], where at least one prompt is wanted");
        }
        if (data.size() % pictures.patch != 0) {
            throw new IllegalArgumentException("data has pictures of " + data.size() + " pixels, where a multiple of pictures.patch "
                    + pictures.patch + " is wanted");
        }
    }

    private static void requireOne(String key, List<?> stages) {
        if (stages.size() > 1) {
            throw new IllegalArgumentException(key + " has " + stages.size() + " stages, where a list of none or one is wanted");
        }
    }

    /**
     * What cuts captions into pieces.
     *
     * @param kind     clip: byte pairs in CLIP's files, or sentencepiece: a unigram model, as in the paper
     * @param tokens   how many pieces there are at most
     * @param length   pieces of a caption that are read
     * @param captions how many captions the pieces are learnt from
     */
    public record Words(@JacksonInject(value = "words", useInput = OptBoolean.TRUE) String kind, int tokens, int length, int captions) {
        private static final String CLIP = "clip", SENTENCEPIECE = "sentencepiece";

        public Words {
            switch (kind) {
                case CLIP -> new Recipe.Tokenizer(tokens, length, captions);
                case SENTENCEPIECE -> {
                    new UnigramTrainer(tokens);
                    if (length < 1 || captions < 1) {
                        throw new IllegalArgumentException("length is " + length + " and captions " + captions
                                + ", where 1 or more are wanted");
                    }
                }
                default -> throw new IllegalArgumentException("kind is " + kind + ", where " + CLIP + " or " + SENTENCEPIECE
                        + " is wanted");
            }
        }

        /** The tokenizer in {@code folder}; one of the examples' captions is written there first if there is none. */
        TextIds learnt(Example.Source examples, Path folder) {
            Path model = folder.resolve("spiece.model");
            if (kind.equals(CLIP)) {
                new Recipe.Tokenizer(tokens, length, captions).learnt(examples, folder);
            } else if (!Files.exists(model)) {
                ConfigFiles.create(folder);
                new UnigramTrainer(tokens).train(Recipe.captions(examples, captions), model);
            }
            return TextIds.load(folder);
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
        private static final String WHOLE = "the adversary's weight is found from a whole batch";

        public Pictures {
            loop.requireWholeBatches(WHOLE);
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

    /**
     * Training of the Transformer's encoder before the Transformer's.
     *
     * @param captions how many captions are read once and drawn from
     * @param hidden   share of their pieces that are to be told
     */
    public record CaptionsAlone(int captions, double hidden, Recipe.Loop loop) {
        public CaptionsAlone {
            if (captions < 1 || !(hidden > 0 && hidden <= 1)) {
                throw new IllegalArgumentException("captions is " + captions + " and hidden " + hidden
                        + ", where 1 or more, and more than 0 to 1, are wanted");
            }
        }
    }

    /**
     * Training of the decoder of the tokenizer of pictures after the Transformer's: the codes stay what they are.
     *
     * @param adversary the step that the discriminator begins at
     */
    public record DecoderAlone(long adversary, Recipe.Loop loop) {
        public DecoderAlone {
            loop.requireWholeBatches(Pictures.WHOLE);
        }
    }

    /**
     * @param run where the training is
     * @throws IllegalArgumentException naming the loop whose batches {@code processes} cannot share evenly, and for several processes
     *     while there is a stage that one alone trains
     */
    public void requireSharedBy(int processes, Path run) {
        if (processes > 1) {
            requireThere("the tokenizer of pictures", run.resolve(PICTURES), processes);
            captionsAlone.forEach(stage -> requireThere("captionsAlone", run.resolve(ENCODER), processes));
            if (!decoderAlone.isEmpty()) {
                throw new IllegalArgumentException("decoderAlone learns from whole batches: one process is wanted, or a recipe without it "
                        + "until " + processes + " have trained the Transformer");
            }
        }
        transformer.loop.requireSharedBy(processes, "transformer.loop");
    }

    private static void requireThere(String stage, Path file, int processes) {
        if (!Files.exists(file)) {
            throw new IllegalArgumentException(stage + " learns from whole batches: one process is wanted until " + file + " is there, "
                    + "then " + processes + " can go on with the Transformer");
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

    /** @param vocabulary pieces and padding; where the encoder is trained alone there is a mask behind them */
    Parti.Config parti(int vocabulary) {
        return new Parti.Config(transformer.encoderLayers, transformer.decoderLayers, transformer.width, transformer.mlp, transformer.heads,
                vocabulary + captionsAlone.size(), tokenizer.length(), pictures.codes, data.size() / pictures.patch, transformer.near);
    }
}
