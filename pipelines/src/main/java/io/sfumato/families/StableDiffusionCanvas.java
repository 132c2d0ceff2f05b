package io.sfumato.families;

import static io.sfumato.Prompt.Role.DEPTH;
import static io.sfumato.Prompt.Role.INIT;
import static io.sfumato.Prompt.Role.MASK;

import io.sfumato.Listener;
import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Trace;
import io.sfumato.diffusion.Network;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.Step;
import io.sfumato.models.unet.UNet2DCondition;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * What a run of {@link StableDiffusion} is drawn on.
 *
 * @param sampling from where it begins
 * @param start    x there (B, z, h, w)
 * @param beside   channels (B, c, h, w) that the U-Net sees beside x, in order
 * @param hold     puts x right after each step, where a part of the picture is to stay
 */
record StableDiffusionCanvas(Sampling sampling, Tensor start, List<Tensor> beside, Step.Listener hold) {

    /** Lays the canvas out that the prompts ask for; the draws come in the order of the reference's. */
    static StableDiffusionCanvas of(StableDiffusionKind kind, List<Prompt> prompts, Options o, Sampling sampling,
            StableDiffusionLatents latents, Draws draws) {
        return of(kind, prompts, o, 1, sampling, latents, draws);
    }

    /** The same for pictures that are drawn {@code smaller} times smaller than asked for. */
    static StableDiffusionCanvas of(StableDiffusionKind kind, List<Prompt> prompts, Options o, int smaller, Sampling sampling,
            StableDiffusionLatents latents, Draws draws) {
        int f = latents.factor();
        var easel = Easel.of(prompts, o, smaller, sampling, latents, draws);
        return switch (kind) {
            case PLAIN -> !prompts.get(0).has(INIT) ? easel.blank() : prompts.get(0).has(MASK) ? easel.masked() : easel.over();
            case INPAINTING -> easel.besideWhatIsKept();
            case EDITING -> easel.blank().with(easel.repeated(easel.rows(p -> latents.mode(easel.picture(p)))));
            case DEPTH_GUIDED -> easel.over().with(easel.repeated(easel.rows(p -> depth(p, easel.like))));
            case ENLARGING -> easel.beside(easel.rows(p -> StableDiffusionPixels.of(p.picture(INIT), o.width() / f, o.height() / f)));
        };
    }

    /** Over the latents (B, z, h, w) of pictures, under as much noise as the strength says. */
    static StableDiffusionCanvas over(Tensor pictures, Options o, Sampling sampling, Draws draws) {
        Sampling rest = sampling.from(Sampling.skipped(o.steps(), o.strength()));
        return Easel.canvas(rest, rest.addNoise(pictures, draws.noise().next(pictures)), Step::x);
    }

    /** To enlarge {@code small} (B, 3, h, w). */
    static StableDiffusionCanvas enlarging(List<Prompt> prompts, Tensor small, Options o, Sampling sampling, StableDiffusionLatents latents,
            Draws draws) {
        return Easel.of(prompts, o, 1, sampling, latents, draws).beside(small);
    }

    /**
     * Draws on it, step by step.
     *
     * @param context text states of every picture, as {@link StableDiffusionNetwork} has them
     * @param decode  latents (B, z, h, w) to pictures (B, 3, H, W) in [0, 1], for what a step expects
     * @return the latents of the pictures (B, z, h, w)
     */
    Tensor draw(UNet2DCondition unet, LoadOptions load, Tensor context, Options o, Draws draws, UnaryOperator<Tensor> decode,
            Listener listener, Trace trace) {
        trace.put("text_embeddings", context);
        trace.put("latents.0", start);
        Scheduling.record(sampling.grid(), trace);
        try (DeepCache cached = new DeepCache(unet, o.shortcuts().deepCache())) {
            Network network = new StableDiffusionNetwork(cached, load, beside, context,
                    StableDiffusionNetwork.interval(sampling.grid(), o), o);
            return sampling.sample(network, start, draws.noise(), step -> {
                trace.put("latents." + (step.index() + 1), step.x());
                listener.onStep(new Listener.Step(step.index() + 1, step.total(), step.timestep(),
                        () -> StableDiffusionPixels.images(decode.apply(step.x0()))));
                return hold.onStep(step);
            });
        }
    }

    private StableDiffusionCanvas with(Tensor... seen) {
        return new StableDiffusionCanvas(sampling, start, List.of(seen), hold);
    }

    /** The depths of a map between its least, -1, and its greatest, 1. */
    private static Tensor depth(Prompt prompt, Tensor like) {
        Tensor map = Functional.upsampleBicubic(StableDiffusionPixels.grey(prompt.picture(DEPTH)), like.size(2), like.size(3));
        double least = map.amin(false).item(), greatest = map.amax(false).item();
        if (!(greatest > least)) {
            throw new IllegalArgumentException("the depth map is of one shade: it says nothing of what is near and far");
        }
        return map.sub(least).mul(2 / (greatest - least)).sub(1);
    }

    /** The step to begin with: the later, the less the strength. */
    static int begin(Options o, Prompt prompt) {
        int skipped = Sampling.skipped(o.steps(), o.strength(prompt));
        if (skipped >= o.steps()) {
            throw new IllegalArgumentException("strength " + o.strength(prompt) + " of " + o.steps() + " steps leaves none: at least "
                    + Math.ceil(1000.0 / o.steps()) / 1000 + " is wanted");
        }
        return skipped;
    }

    /** Where canvases are made. */
    private record Easel(List<Prompt> prompts, Options o, int smaller, Sampling sampling, StableDiffusionLatents latents, Draws draws,
                         Tensor like) {

        static Easel of(List<Prompt> prompts, Options o, int smaller, Sampling sampling, StableDiffusionLatents latents, Draws draws) {
            int f = latents.factor() * smaller;
            return new Easel(prompts, o, smaller, sampling, latents, draws,
                    Tensor.zeros(prompts.size() * o.count(), latents.channels(), o.height() / f, o.width() / f));
        }

        StableDiffusionCanvas blank() {
            return canvas(sampling, draws.noise().next(like).mul(sampling.initNoiseSigma()), Step::x);
        }

        /** Blank, beside small pictures under noise; the reference draws the noise of these first. */
        StableDiffusionCanvas beside(Tensor small) {
            Tensor noisy = drawn(small, each -> latents.underNoise(each, o.noiseLevel(), draws.noise()));
            return blank().with(noisy);
        }

        /** The picture under as much noise as the strength says (Meng et al. 2022). */
        StableDiffusionCanvas over() {
            Tensor picture = encoded(rows(this::picture));
            Sampling rest = rest();
            return canvas(rest, rest.addNoise(picture, draws.noise().next(like)), Step::x);
        }

        /** As {@link #over} where the mask is white; elsewhere the picture, as noisy as x is. */
        StableDiffusionCanvas masked() {
            Tensor picture = encoded(rows(this::picture));
            Tensor noise = draws.noise().next(like);
            encoded(rows(this::kept));    // unused, but the reference draws for it
            Sampling rest = rest();
            Tensor mask = masks();
            return canvas(rest, start(rest, picture, noise, mask), rest.holding(picture, noise, mask));
        }

        /** As {@link #over}; the U-Net sees the mask and what is to stay. */
        StableDiffusionCanvas besideWhatIsKept() {
            // From noise alone the picture is not needed, and the reference does not draw for it.
            Tensor picture = fresh() ? like : encoded(rows(this::picture));
            Tensor noise = draws.noise().next(like);
            Tensor mask = masks();
            return canvas(rest(), start(rest(), picture, noise, mask), Step::x).with(mask, encoded(rows(this::kept)));
        }

        private static StableDiffusionCanvas canvas(Sampling sampling, Tensor start, Step.Listener hold) {
            return new StableDiffusionCanvas(sampling, start, List.of(), hold);
        }

        private Sampling rest() {
            return sampling.from(begin(o, prompts.get(0)));
        }

        private boolean fresh() {
            return o.strength(prompts.get(0)) == 1;
        }

        private Tensor start(Sampling rest, Tensor picture, Tensor noise, Tensor mask) {
            if (fresh()) {
                return noise.mul(rest.initNoiseSigma());
            }
            Tensor kept = picture.mul(mask.neg().add(1));
            return rest.addNoise(switch (o.maskFill()) {
                case ORIGINAL, SURROUNDINGS -> picture;
                case LATENT_NOISE -> kept.add(noise.mul(mask));
                case LATENT_NOTHING -> kept;
            }, noise);
        }

        Tensor picture(Prompt prompt) {
            return StableDiffusionPixels.of(prompt.picture(INIT), o.width() / smaller, o.height() / smaller);       // (1, 3, H, W)
        }

        private Tensor mask(Prompt prompt) {
            return StableDiffusionPixels.mask(prompt.picture(MASK), o.width() / smaller, o.height() / smaller);     // (1, 1, H, W)
        }

        private Tensor kept(Prompt prompt) {
            return picture(prompt).mul(mask(prompt).neg().add(1));
        }

        private Tensor masks() {
            return repeated(Functional.upsampleNearest(rows(this::mask), like.size(2), like.size(3)));
        }

        /** One row for each prompt. */
        Tensor rows(Function<Prompt, Tensor> of) {
            return Tensor.cat(0, prompts.stream().map(of).toArray(Tensor[]::new));
        }

        /** Rows of the prompts to rows of the pictures that are made of them. */
        Tensor repeated(Tensor rows) {
            return rows.repeatInterleave(o.count(), 0);
        }

        private Tensor encoded(Tensor rows) {
            return drawn(latents.moments(rows), each -> latents.sample(each, draws.noise()));
        }

        /** Rows of the prompts to rows of pictures: a shared generator draws for the prompts, generators of their own for each picture. */
        Tensor drawn(Tensor rows, UnaryOperator<Tensor> draw) {
            return draws.shared() ? repeated(draw.apply(rows)) : draw.apply(repeated(rows));
        }
    }
}
