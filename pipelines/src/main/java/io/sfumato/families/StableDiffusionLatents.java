package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.diffusion.Noise;
import io.sfumato.diffusion.NoiseLevel;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;

/**
 * Between pictures and the latents that the U-Net works on: the autoencoder and its scale, one picture at a time, which bounds memory.
 *
 * @param lowAlphas what is left of a small picture's variance at each noise level, for models that enlarge; else empty
 */
record StableDiffusionLatents(AutoencoderKl vae, LoadOptions load, double[] lowAlphas) {
    int factor() {
        return vae.config().factor();
    }

    int channels() {
        return vae.config().latentChannels();
    }

    /** Means and logarithms of variances (B, 2z, h, w) of the latents of pictures (B, 3, H, W) in [-1, 1]. */
    Tensor moments(Tensor pictures) {
        try (var scope = new Scope()) {
            Tensor[] rows = new Tensor[(int) pictures.size(0)];
            for (int i = 0; i < rows.length; i++) {
                Tensor picture = pictures.narrow(0, i, 1).to(load.dtype()).to(load.device());
                AutoencoderKl.Posterior p = large(pictures.size(2) * pictures.size(3)) ? vae.encodeInStrips(picture) : vae.encode(picture);
                rows[i] = Tensor.cat(1, p.mean(), p.logvar()).to(DType.F32).to(Device.CPU);
            }
            return scope.keep(Tensor.cat(0, rows));
        }
    }

    /** Latents (B, z, h, w) drawn by their moments. */
    Tensor sample(Tensor moments, Noise noise) {
        Tensor[] m = moments.chunk(2, 1);
        return new AutoencoderKl.Posterior(m[0], m[1]).sample(noise.next(m[0])).mul(vae.config().scalingFactor());
    }

    /** The likeliest latents of pictures, not scaled: what models of edits see. */
    Tensor mode(Tensor pictures) {
        return moments(pictures).chunk(2, 1)[0];
    }

    /** Small pictures under the noise of a level. */
    Tensor underNoise(Tensor pictures, int level, Noise noise) {
        return NoiseLevel.ofAlphaCumprod(lowAlphas[level]).addNoise(pictures, noise.next(pictures));
    }

    private boolean large(double pixels) {
        return StableDiffusionMemory.inStrips(vae.config(), load, pixels);
    }

    /** Latents (B, z, h, w) to pictures (B, 3, H, W) in [0, 1]. */
    Tensor decode(Tensor latents) {
        try (var scope = new Scope()) {
            Tensor[] pictures = new Tensor[(int) latents.size(0)];
            for (int i = 0; i < pictures.length; i++) {
                Tensor z = latents.narrow(0, i, 1).div(vae.config().scalingFactor()).to(load.dtype()).to(load.device());
                boolean large = large(z.size(2) * z.size(3) * factor() * factor());
                pictures[i] = (large ? vae.decodeInStrips(z) : vae.decode(z)).to(DType.F32).mul(0.5).add(0.5).clamp(0, 1);
            }
            return scope.keep(Tensor.cat(0, pictures));
        }
    }
}
