package io.sfumato;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A large picture in two passes, as A1111's web UI knows it: drawn small, where a model composes best, enlarged, and drawn over.
 *
 * @param scale    how many times as wide and as high, above 1 to 8; sides are rounded down to multiples of 8
 * @param steps    steps that the second pass makes, or {@link #AS_FIRST}
 * @param strength of the second pass, above 0 to 1
 * @param upscaler how the small picture is enlarged
 */
public record HiresFix(double scale, int steps, double strength, HiresUpscaler upscaler) {
    /** As many steps as the first pass. */
    public static final int AS_FIRST = 0;

    public HiresFix {
        if (!(scale > 1 && scale <= 8)) {
            throw new IllegalArgumentException("hires scale must be above 1, to 8, not " + scale);
        }
        if (steps < AS_FIRST || steps > 1000) {
            throw new IllegalArgumentException("hires steps must be 0 (as many as at first) to 1000, not " + steps);
        }
        if (!(strength > 0 && strength <= 1)) {
            throw new IllegalArgumentException("hires strength must be above 0, to 1, not " + strength);
        }
    }

    /** Twice the size, strength 0.7, by Lanczos' filter. */
    public static HiresFix defaults() {
        return new HiresFix(2, AS_FIRST, 0.7, HiresUpscaler.LANCZOS);
    }

    /** The options of the second pass, given those of the first, complete. */
    public Options second(Options first) {
        int made = steps == AS_FIRST ? first.steps() : steps;
        // Of the steps that are asked for, strength leaves a share.
        int asked = Math.min(1000, (int) Math.ceil(made / strength));
        return first.withSize((int) (first.width() * scale) / 8 * 8, (int) (first.height() * scale) / 8 * 8).withSteps(asked)
                .withStrength(strength).withCount(1);
    }

    /** Both passes for {@code wanted.count()} pictures of each prompt; {@code trace} takes the numbers of the second. */
    public List<Image> generate(TextToImage model, List<Prompt> prompts, Options wanted, Listener listener, Trace trace) {
        Options options = model.complete(prompts.get(0), wanted);
        for (Prompt prompt : prompts) {
            if (prompt.has(Prompt.Role.MASK)) {
                throw new IllegalArgumentException("the second pass draws over the whole picture: it takes no mask");
            }
        }
        Options second = second(options);
        if (upscaler instanceof HiresUpscaler.OfLatents latents) {
            return model.generate(prompts, options, latents, second.withCount(options.count()), listener, trace);
        }
        Resampling filter = ((HiresUpscaler.OfPictures) upscaler).filter();
        List<Image> small = model.generate(prompts, options, listener, Trace.none());
        List<Prompt> large = IntStream.range(0, small.size()).mapToObj(i -> prompts.get(i / options.count())
                .withInit(small.get(i).resize(second.width(), second.height(), filter))).toList();
        return model.generate(large, second, listener, trace);
    }
}
