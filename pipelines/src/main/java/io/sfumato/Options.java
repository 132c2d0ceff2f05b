package io.sfumato;

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
 * @param sampler         a name that {@code io.sfumato.diffusion.Samplers} knows, or {@link #MODELS_OWN}
 * @param schedule        a name of a noise schedule, or {@link #MODELS_OWN}
 * @param eta             noise that DDIM adds, 0 to 1
 * @param clipSkip        last layers of the text encoder to leave out
 */
public record Options(int width, int height, int steps, double guidance, double guidanceRescale, long seed, int count, Seeds seeds,
                      String sampler, String schedule, double eta, int clipSkip) {
    /** A size that the model chooses. */
    public static final int OF_MODEL = 0;
    /** The sampler and schedule that the model's folder names. */
    public static final String MODELS_OWN = "model's own";

    /** Where the noise of several pictures comes from. */
    public enum Seeds {
        /** Picture i has its own generator, of seed + i: each is drawn as it would be alone. */
        EACH,
        /** One generator draws for the whole batch. */
        SHARED
    }

    public Options {
        size("width", width);
        size("height", height);
        within("steps", steps, 1, 1000);
        within("guidance rescale", guidanceRescale, 0, 1);
        within("count", count, 1, 1 << 16);
        within("eta", eta, 0, 1);
        within("clip skip", clipSkip, 0, 1000);
        if (!Double.isFinite(guidance)) {
            throw new IllegalArgumentException("guidance must be a number, not " + guidance);
        }
    }

    private static void size(String name, int value) {
        if (value < 0 || value > 1 << 14 || value % 8 != 0) {
            List<Integer> near = List.of(Math.max(8, value / 8 * 8), Math.max(8, value / 8 * 8) + 8);
            throw new IllegalArgumentException(name + " must be a multiple of 8 from 8 to 16384, not " + value
                    + (value > 0 && value < 1 << 14 ? ": the nearest are " + near.get(0) + " and " + near.get(1) : ""));
        }
    }

    private static void within(String name, double value, double min, double max) {
        if (!(value >= min && value <= max)) {
            throw new IllegalArgumentException(name + " must be " + number(min) + " to " + number(max) + ", not " + number(value));
        }
    }

    private static String number(double x) {
        return x == Math.rint(x) ? String.valueOf((long) x) : String.valueOf(x);
    }

    /** 50 steps, guidance 7.5, seed 0, one picture; the rest as the model would have it. */
    public static Options defaults() {
        return new Options(OF_MODEL, OF_MODEL, 50, 7.5, 0, 0, 1, Seeds.EACH, MODELS_OWN, MODELS_OWN, 0, 0);
    }

    public Options withSize(int width, int height) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withSteps(int steps) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withGuidance(double guidance) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withGuidanceRescale(double guidanceRescale) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withSeed(long seed) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withCount(int count) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withSeeds(Seeds seeds) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withSampler(String sampler) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withSchedule(String schedule) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withEta(double eta) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }

    public Options withClipSkip(int clipSkip) {
        return new Options(width, height, steps, guidance, guidanceRescale, seed, count, seeds, sampler, schedule, eta, clipSkip);
    }
}
