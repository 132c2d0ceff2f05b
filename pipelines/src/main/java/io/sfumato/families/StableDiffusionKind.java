package io.sfumato.families;

import static io.sfumato.Prompt.Role.DEPTH;
import static io.sfumato.Prompt.Role.INIT;
import static io.sfumato.Prompt.Role.MASK;

import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.image.Image;
import io.sfumato.io.ConfigJson;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/** The Stable Diffusion models that there are, by what their U-Net sees beside the latents of z channels. */
enum StableDiffusionKind {
    /** Nothing: text alone, or over a picture, or where a mask is white. */
    PLAIN("StableDiffusionPipeline", z -> z, Set.of(INIT, MASK), Set.of()),
    /** A mask and the latents of the picture without what is masked. */
    INPAINTING("StableDiffusionInpaintPipeline", z -> 2 * z + 1, Set.of(INIT, MASK), Set.of(INIT, MASK)),
    /** The latents of a picture that the prompt says how to change (Brooks et al. 2023). */
    EDITING("StableDiffusionInstructPix2PixPipeline", z -> 2 * z, Set.of(INIT), Set.of(INIT)),
    /** How far away things are. */
    DEPTH_GUIDED("StableDiffusionDepth2ImgPipeline", z -> z + 1, Set.of(INIT, DEPTH), Set.of(INIT, DEPTH)),
    /** The picture to enlarge, of red, green and blue. */
    ENLARGING("StableDiffusionUpscalePipeline", z -> z + 3, Set.of(INIT), Set.of(INIT));

    private final String pipeline;
    private final IntUnaryOperator channels;
    private final Set<Prompt.Role> takes;
    private final Set<Prompt.Role> needs;

    StableDiffusionKind(String pipeline, IntUnaryOperator channels, Set<Prompt.Role> takes, Set<Prompt.Role> needs) {
        this.pipeline = pipeline;
        this.channels = channels;
        this.takes = takes;
        this.needs = needs;
    }

    /** The kind with that many input channels; where several have, the one whose {@code pipeline} the folder names. */
    static StableDiffusionKind of(String pipeline, ConfigJson json, UNetConfig unet, AutoencoderKl.Config vae) {
        int z = vae.latentChannels();
        if (unet.outChannels() != z) {
            throw json.wrong("out_channels", unet.outChannels(), z + ", as many as latents have,");
        }
        List<StableDiffusionKind> fitting = Arrays.stream(values()).filter(k -> k.channels.applyAsInt(z) == unet.inChannels()).toList();
        if (fitting.isEmpty()) {
            throw json.wrong("in_channels", unet.inChannels(), Arrays.stream(values()).map(k -> k.channels.applyAsInt(z)).toList()
                    + " for latents of " + z + " channels");
        }
        return fitting.stream().filter(k -> k.pipeline.equals(pipeline)).findFirst().orElse(fitting.get(0));
    }

    /** A size that is left open is the init picture's, or as many times larger as a latent spans pixels. */
    Options sized(Options o, Prompt prompt, int factor) {
        if (this != ENLARGING) {
            return o.sizedFor(prompt);
        }
        Image small = prompt.picture(INIT);
        return o.withOpenSides(enlarged(small.width(), factor), enlarged(small.height(), factor));
    }

    private static int enlarged(int side, int factor) {
        return Math.max(1, side / factor) * factor * factor;
    }

    /** @throws IllegalArgumentException for options that this kind cannot follow */
    void check(Options o, Prompt prompt, UNetConfig unet) {
        if (prompt.has(INIT) && this != EDITING && this != ENLARGING) {
            StableDiffusionCanvas.begin(o, prompt);
        }
        if (unet.labels() > 0 && o.noiseLevel() >= unet.labels()) {
            throw new IllegalArgumentException("noise level must be 0 to " + (unet.labels() - 1) + ", not " + o.noiseLevel());
        }
    }

    /** @throws IllegalArgumentException for a prompt whose pictures are not those of this kind */
    void require(Prompt prompt) {
        prompt.require(takes, needs);
    }
}
