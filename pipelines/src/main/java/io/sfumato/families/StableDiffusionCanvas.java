package io.sfumato.families;

import static io.sfumato.Prompt.Role.INIT;
import static io.sfumato.Prompt.Role.MASK;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.diffusion.Sampling;
import io.sfumato.diffusion.Step;
import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.io.CheckpointException;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run of {@link StableDiffusion} is drawn on.
 *
 * @param sampling from where it begins
 * @param start    x there (B, z, h, w)
 * @param beside   channels (B, c, h, w) that the U-Net sees beside x, in order
 * @param hold     puts x right after each step, where a part of the picture is to stay
 */
record StableDiffusionCanvas(Sampling sampling, Tensor start, List<Tensor> beside, Step.Listener hold) {

    /** Lays the canvas out that {@code prompts} ask for; the draws come in the order of the reference's. */
    static StableDiffusionCanvas of(StableDiffusionKind kind, List<Prompt> prompts, Options o, Sampling sampling,
            StableDiffusionLatents latents, Draws draws) {
        int f = latents.vae().config().factor();
        Tensor like = Tensor.zeros(prompts.size() * o.count(), latents.vae().config().latentChannels(), o.height() / f, o.width() / f);
        return switch (kind) {
            case PLAIN, INPAINTING -> !prompts.get(0).has(INIT) ? blank(sampling, draws, like)
                    : !prompts.get(0).has(MASK) ? over(prompts, o, sampling, latents, draws, like)
                    : masked(kind, prompts, o, sampling, latents, draws, like);
            default -> throw new CheckpointException("Stable Diffusion of the kind " + kind + " is not supported yet");
        };
    }

    private static StableDiffusionCanvas blank(Sampling sampling, Draws draws, Tensor like) {
        return new StableDiffusionCanvas(sampling, draws.noise().next(like).mul(sampling.initNoiseSigma()), List.of(), Step::x);
    }

    /** The picture under as much noise as the strength says (Meng et al. 2022). */
    private static StableDiffusionCanvas over(List<Prompt> prompts, Options o, Sampling sampling, StableDiffusionLatents latents,
            Draws draws, Tensor like) {
        Sampling rest = sampling.from(begin(o, prompts.get(0)));
        Tensor picture = latents.encode(pictures(prompts, o), o.count(), draws);
        return new StableDiffusionCanvas(rest, rest.addNoise(picture, draws.noise().next(like)), List.of(), Step::x);
    }

    /** As {@link #over} where the mask is white; elsewhere the picture, as noisy as x is, or seen by the U-Net beside x. */
    private static StableDiffusionCanvas masked(StableDiffusionKind kind, List<Prompt> prompts, Options o, Sampling sampling,
            StableDiffusionLatents latents, Draws draws, Tensor like) {
        Sampling rest = sampling.from(begin(o, prompts.get(0)));
        boolean seen = kind == StableDiffusionKind.INPAINTING;
        boolean fresh = o.strength(prompts.get(0)) == 1;
        List<Tensor> pictures = pictures(prompts, o);
        Tensor picture = seen && fresh ? like : latents.encode(pictures, o.count(), draws);
        Tensor noise = draws.noise().next(like);
        Tensor start = fresh ? noise.mul(rest.initNoiseSigma()) : rest.addNoise(picture, noise);
        List<Tensor> masks = prompts.stream().map(p -> mask(p.picture(MASK), o)).toList();
        List<Tensor> kept = new ArrayList<>();
        for (int i = 0; i < masks.size(); i++) {
            kept.add(pictures.get(i).mul(masks.get(i).neg().add(1)));
        }
        Tensor without = latents.encode(kept, o.count(), draws);
        Tensor mask = Functional.upsampleNearest(Tensor.cat(0, masks.toArray(Tensor[]::new)), like.size(2), like.size(3))
                .repeatInterleave(o.count(), 0);                                                            // (B, 1, h, w)
        if (seen) {
            return new StableDiffusionCanvas(rest, start, List.of(mask, without), Step::x);
        }
        return new StableDiffusionCanvas(rest, start, List.of(), step -> {
            int next = rest.grid().start() + step.index() + 1;
            Tensor known = next < rest.grid().calls() ? rest.addNoise(picture, noise, next) : picture;
            return known.mul(mask.neg().add(1)).add(step.x().mul(mask));
        });
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

    private static List<Tensor> pictures(List<Prompt> prompts, Options o) {
        return prompts.stream().map(p -> StableDiffusionLatents.pixels(p.picture(INIT), o.width(), o.height())).toList();
    }

    /** 1 where the mask is nearer to white, else 0: (1, 1, H, W). */
    private static Tensor mask(Image mask, Options o) {
        Image fitting = mask.over(0).resize(o.width(), o.height(), Resampling.LANCZOS);
        float[] white = new float[o.width() * o.height()];
        for (int i = 0; i < white.length; i++) {
            white[i] = luminance(fitting, i % o.width(), i / o.width()) >= 128 ? 1 : 0;
        }
        return Tensor.of(white, 1, 1, o.height(), o.width());
    }

    /** Rec. 601, in the fixed-point numbers of Pillow's grey images. */
    private static int luminance(Image image, int x, int y) {
        return image.at(x, y, 0) * 19595 + image.at(x, y, 1) * 38470 + image.at(x, y, 2) * 7471 + 0x8000 >> 16;
    }
}
