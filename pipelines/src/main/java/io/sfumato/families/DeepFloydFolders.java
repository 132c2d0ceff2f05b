package io.sfumato.families;

import static io.sfumato.Prompt.Role.INIT;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.hub.ModelFolder;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.models.vae.AutoencoderKl;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The folders of a {@link DeepFloyd}'s stages, in order, and the sizes that they make.
 *
 * @param stages   of IF itself: a first stage and those that enlarge, or the latter alone
 * @param enlarger Stable Diffusion's enlarger after them, if there is one
 */
record DeepFloydFolders(List<ModelFolder> stages, List<ModelFolder> enlarger) {
    private static final String ENLARGER = "StableDiffusionUpscalePipeline";

    /** @throws CheckpointException for stages of the wrong kind or in the wrong order */
    static DeepFloydFolders of(ModelFolder model) {
        List<ModelFolder> stages = new ArrayList<>(), enlarger = new ArrayList<>();
        for (ModelFolder folder : model.stages()) {
            boolean enlarges = folder.pipeline().equals(ENLARGER);
            if (!enlarger.isEmpty() || !enlarges && !folder.pipeline().startsWith("IF") || enlarges && stages.isEmpty()) {
                throw new CheckpointException(folder.path() + ": a " + folder.pipeline() + " cannot be stage " + (stages.size()
                        + enlarger.size() + 1) + "; stages of IF in order are wanted, and at most a " + ENLARGER + " after them");
            }
            (enlarges ? enlarger : stages).add(folder);
        }
        for (int i = 1; i < stages.size(); i++) {
            int size = DeepFloydStage.size(stages.get(i)), before = DeepFloydStage.size(stages.get(i - 1));
            if (DeepFloydStage.config(stages.get(i)).inChannels() == 3) {
                throw new CheckpointException(stages.get(i).path() + ": a first stage, which enlarges nothing, cannot be stage " + (i + 1));
            }
            if (size <= before || size % before != 0) {
                throw new CheckpointException(stages.get(i).path() + ": a stage of " + size + " pixels cannot enlarge the " + before
                        + " of the stage before it: a multiple of them is wanted");
            }
        }
        return new DeepFloydFolders(stages, enlarger);
    }

    /** Number of stages. */
    int all() {
        return stages.size() + enlarger.size();
    }

    /** What a stage's names in a trace begin with; one that enlarges is never the first. */
    String name(int i) {
        return "stage" + (enlargesFirst() ? i + 2 : i + 1) + ".";
    }

    private boolean enlargesFirst() {
        return DeepFloydStage.config(stages.get(0)).inChannels() != 3;
    }

    /** The first folder that has a text encoder: those of other stages are the same. */
    ModelFolder text() {
        return stages.stream().filter(stage -> Files.isDirectory(stage.path().resolve("text_encoder"))).findFirst().orElse(stages.get(0));
    }

    private int size(int i) {
        return DeepFloydStage.size(stages.get(i));
    }

    /** Pixels of a side that a square picture ends up with. */
    int largest() {
        return size(stages.size() - 1) * enlargement();
    }

    private int enlargement() {
        return enlarger.isEmpty() ? 1 : AutoencoderKl.Config.of(enlarger.get(0).config("vae")).factor();
    }

    /** How much larger the last picture is than the first stage's. */
    private int factor() {
        return largest() / size(0);
    }

    /** Width and height of each stage's picture for those of the last one. */
    List<int[]> sizes(Prompt prompt, Options o) {
        List<int[]> sizes = new ArrayList<>();
        for (int i = 0; i < stages.size(); i++) {
            int divisor = largest() / size(i);
            sizes.add(fits(prompt, o.width(), o.height()) ? fitting(prompt.picture(INIT), size(i))
                    : new int[] {o.width() / divisor, o.height() / divisor});
        }
        return sizes;
    }

    /**
     * {@code wanted} with the size filled in: from the picture that is given, or else as the stages were trained.
     *
     * @throws IllegalArgumentException for a size that the stages do not make, or a picture that they cannot enlarge to it
     */
    Options sized(Prompt prompt, Options wanted) {
        int[] own = !prompt.has(INIT) ? new int[] {largest(), largest()}
                : enlargesFirst() ? enlarged(prompt.picture(INIT)) : fittingLast(prompt.picture(INIT));
        int width = wanted.width() == Options.OF_MODEL ? own[0] : wanted.width();
        int height = wanted.height() == Options.OF_MODEL ? own[1] : wanted.height();
        for (int side : fits(prompt, width, height) ? new int[0] : new int[] {width, height}) {
            if (side % factor() != 0 || side / factor() < 8) {
                throw new IllegalArgumentException("no stage makes " + width + "x" + height + ": the first one's sides are enlarged "
                        + factor() + " times, so multiples of " + factor() + " from " + 8 * factor() + " are wanted");
            }
        }
        if (enlargesFirst()) {
            requireToEnlarge(prompt.picture(INIT), width / factor(), height / factor());
        }
        return wanted.withSize(width, height);
    }

    /** Whether that is what the last stage makes of a picture to draw over. */
    private boolean fits(Prompt prompt, int width, int height) {
        return prompt.has(INIT) && !enlargesFirst() && Arrays.equals(fittingLast(prompt.picture(INIT)), new int[] {width, height});
    }

    private int[] fittingLast(Image picture) {
        return Arrays.stream(fitting(picture, size(stages.size() - 1))).map(side -> side * enlargement()).toArray();
    }

    /** A picture to draw over has in each stage the length that it was trained for on the shorter side, a multiple of 8 on the other. */
    private static int[] fitting(Image picture, int size) {
        double ratio = picture.width() / (double) picture.height();
        return ratio >= 1 ? new int[] {(int) Math.rint(size / 8.0 * ratio) * 8, size}
                : new int[] {size, (int) Math.rint(size / 8.0 / ratio) * 8};
    }

    /** What is made of a picture to enlarge: of a square one what the stages were trained for, of another a whole multiple. */
    private int[] enlarged(Image picture) {
        int width = picture.width(), height = picture.height();
        int times = Math.max(1, (int) Math.rint(size(0) / (double) Math.max(width, height))) * factor();
        return width == height ? new int[] {largest(), largest()} : new int[] {width * times, height * times};
    }

    private static void requireToEnlarge(Image picture, int width, int height) {
        if (picture.width() >= width || picture.height() >= height || picture.width() * height != picture.height() * width) {
            throw new IllegalArgumentException("a picture of " + picture.width() + "x" + picture.height() + " cannot be enlarged to "
                    + width + "x" + height + ": a smaller one of the same shape is wanted");
        }
        for (int side : new int[] {width, height}) {
            if (side % 8 != 0) {
                throw new IllegalArgumentException("a picture of " + picture.width() + "x" + picture.height() + " would become " + width
                        + "x" + height + ": sides that are multiples of 8 are wanted, say with --width and --height");
            }
        }
    }

    @Override
    public String toString() {
        return Arrays.toString(stages.stream().map(ModelFolder::path).toArray());
    }
}
