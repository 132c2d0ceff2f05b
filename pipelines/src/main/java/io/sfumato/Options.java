package io.sfumato;

import io.sfumato.image.Image;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.List;

/**
 * How to draw. Nothing is ever absent: {@link #defaults()} leaves size and sampler to the model ({@link #OF_MODEL},
 * {@link #MODELS_OWN}), and
 * {@link TextToImage#defaults()} has them filled in.
 *
 * @param width           pixels, a multiple of 8, or {@link #OF_MODEL}
 * @param height          the same
 * @param steps           sampling steps, 1 to 1000
 * @param guidance        classifier-free guidance scale; 1 or less is none
 * @param guidanceRescale share of the guided answer whose spread is brought back, 0 to 1 (Lin et al. 2023)
 * @param seed            of the first picture
 * @param count           pictures per prompt, drawn as one batch
 * @param seeds           where the noise of a batch comes from
 * @param pictureSeeds    the seed of each picture of a batch, in order; or none: picture i has seed + i
 * @param sampler         a name that {@code io.sfumato.diffusion.Samplers} knows, or {@link #MODELS_OWN}
 * @param schedule        a name of a noise schedule, or {@link #MODELS_OWN}
 * @param eta             noise that DDIM adds, 0 to 1
 * @param clipSkip        last layers of the text encoder to leave out
 * @param strength        how far to go from a given picture, above 0 to 1, where nothing of it is left; or {@link #OF_TASK}
 * @param imageGuidance   how closely to follow the picture where a model is told to edit one (Brooks et al. 2023);
 *                        below 1 there is no guidance at all
 * @param noiseLevel      noise that a picture to be enlarged is under, 0 to 999: the more, the more is made up
 * @param maskBlur        pixels (a standard deviation) that a mask's edge is softened by; the picture as it was is then laid over what the
 *                        model drew where the mask is black
 * @param maskPadding     draws only what lies within this many pixels of the mask's white, enlarged; or {@link #WHOLE_PICTURE}
 * @param maskFill        what lies under the mask before drawing begins, which shows at a strength below 1
 * @param picking         how a model that writes pictures as tokens picks them
 * @param unclip          how a model that draws by way of an image embedding samples it
 * @param shortcuts       what is left out for speed
 */
public record Options(int width, int height, int steps, double guidance, double guidanceRescale, long seed, int count, Seeds seeds,
                      List<Long> pictureSeeds, String sampler, String schedule, double eta, int clipSkip, double strength,
                      double imageGuidance, int noiseLevel, double maskBlur, int maskPadding, MaskFill maskFill, Picking picking,
                      Unclip unclip, Shortcuts shortcuts) {
    /** A size that the model chooses. */
    public static final int OF_MODEL = 0;
    /** A strength that what is asked for decides: 1 with a mask, else 0.8. */
    public static final double OF_TASK = 0;
    /** A mask's padding that takes in the whole picture. */
    public static final int WHOLE_PICTURE = -1;
    /** The sampler and schedule that the model's folder names. */
    public static final String MODELS_OWN = "model's own";

    /** Where the noise of several pictures comes from. */
    public enum Seeds {
        /** Picture i has its own generator, of seed + i: each is drawn as it would be alone. */
        EACH,
        /** One generator draws for the whole batch. */
        SHARED
    }

    /** What lies under a mask before drawing begins. */
    public enum MaskFill {
        /** The picture as it is. */
        ORIGINAL,
        /** The colours around. */
        SURROUNDINGS,
        /** Noise in the latents. */
        LATENT_NOISE,
        /** Latents of zero. */
        LATENT_NOTHING
    }

    public Options {
        pictureSeeds = List.copyOf(pictureSeeds);
        size("width", width);
        size("height", height);
        within("steps", steps, 1, 1000);
        within("guidance rescale", guidanceRescale, 0, 1);
        within("count", count, 1, 1 << 16);
        within("eta", eta, 0, 1);
        within("clip skip", clipSkip, 0, 1000);
        within("strength", strength, 0, 1);
        within("mask blur", maskBlur, 0, 256);
        within("mask padding", maskPadding, WHOLE_PICTURE, 1 << 14);
        within("noise level", noiseLevel, 0, 999);
        finite("guidance", guidance);
        finite("image guidance", imageGuidance);
    }

    private static void size(String name, int value) {
        if (value < 0 || value > 1 << 14 || value % 8 != 0) {
            List<Integer> near = List.of(multipleOf8(value), multipleOf8(value) + 8);
            throw new IllegalArgumentException(name + " must be a multiple of 8 from 8 to 16384, not " + value
                    + (value > 0 && value < 1 << 14 ? ": the nearest are " + near.get(0) + " and " + near.get(1) : ""));
        }
    }

    private static void within(String name, double value, double min, double max) {
        if (!(value >= min && value <= max)) {
            throw new IllegalArgumentException(name + " must be " + number(min) + " to " + number(max) + ", not " + number(value));
        }
    }

    private static void finite(String name, double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(name + " must be a number, not " + value);
        }
    }

    private static String number(double x) {
        return x == Math.rint(x) ? String.valueOf((long) x) : String.valueOf(x);
    }

    /** 50 steps, guidance 7.5, seed 0, one picture; the rest as the model would have it. */
    public static Options defaults() {
        return new Options(OF_MODEL, OF_MODEL, 50, 7.5, 0, 0, 1, Seeds.EACH, List.of(), MODELS_OWN, MODELS_OWN, 0, 0, OF_TASK, 1.5, 20,
                0, WHOLE_PICTURE, MaskFill.ORIGINAL, Picking.defaults(), Unclip.defaults(), Shortcuts.none());
    }

    /** The strength to draw with: what is given, or the default for one with or without a mask. */
    public double strength(Prompt prompt) {
        return strength != OF_TASK ? strength : prompt.has(Prompt.Role.MASK) ? 1 : 0.8;
    }

    /** The seed of picture {@code i} of a batch. */
    public long seedOf(int i) {
        return pictureSeeds.isEmpty() ? seed + i : pictureSeeds.get(i);
    }

    /** These, with a side that is left to the model as long as the init picture's, if there is one. */
    public Options sizedFor(Prompt prompt) {
        if (!prompt.has(Prompt.Role.INIT)) {
            return this;
        }
        Image picture = prompt.picture(Prompt.Role.INIT);
        return withOpenSides(multipleOf8(picture.width()), multipleOf8(picture.height()));
    }

    /** These, with a side that is left to the model as long as given. */
    public Options withOpenSides(int width, int height) {
        return withSize(this.width == OF_MODEL ? width : this.width, this.height == OF_MODEL ? height : this.height);
    }

    private static int multipleOf8(int side) {
        return Math.max(8, side / 8 * 8);
    }

    public Options withSize(int width, int height) { return with("width", width).with("height", height); }
    public Options withSteps(int steps) { return with("steps", steps); }
    public Options withGuidance(double guidance) { return with("guidance", guidance); }
    public Options withGuidanceRescale(double guidanceRescale) { return with("guidanceRescale", guidanceRescale); }
    public Options withSeed(long seed) { return with("seed", seed); }
    public Options withCount(int count) { return with("count", count); }
    public Options withSeeds(Seeds seeds) { return with("seeds", seeds); }
    public Options withPictureSeeds(List<Long> pictureSeeds) { return with("pictureSeeds", pictureSeeds); }
    public Options withSampler(String sampler) { return with("sampler", sampler); }
    public Options withSchedule(String schedule) { return with("schedule", schedule); }
    public Options withEta(double eta) { return with("eta", eta); }
    public Options withClipSkip(int clipSkip) { return with("clipSkip", clipSkip); }
    public Options withStrength(double strength) { return with("strength", strength); }
    public Options withMaskBlur(double maskBlur) { return with("maskBlur", maskBlur); }
    public Options withMaskPadding(int maskPadding) { return with("maskPadding", maskPadding); }
    public Options withMaskFill(MaskFill maskFill) { return with("maskFill", maskFill); }
    public Options withNoiseLevel(int noiseLevel) { return with("noiseLevel", noiseLevel); }
    public Options withImageGuidance(double imageGuidance) { return with("imageGuidance", imageGuidance); }
    public Options withPicking(Picking picking) { return with("picking", picking); }
    public Options withUnclip(Unclip unclip) { return with("unclip", unclip); }
    public Options withShortcuts(Shortcuts shortcuts) { return with("shortcuts", shortcuts); }

    // By name, so that an option is one line here and not one more argument in every line.
    private Options with(String name, Object value) {
        try {
            RecordComponent[] components = Options.class.getRecordComponents();
            Object[] values = new Object[components.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = components[i].getName().equals(name) ? value : components[i].getAccessor().invoke(this);
            }
            return (Options) Options.class.getDeclaredConstructors()[0].newInstance(values);
        } catch (InvocationTargetException e) {
            throw (RuntimeException) e.getCause();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
