package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Between pictures and the latents that the U-Net works on: the autoencoder and its scale, one picture at a time, which bounds memory. */
record StableDiffusionLatents(AutoencoderKl vae, LoadOptions load) {

    /** A picture as the autoencoder sees it, (1, 3, H, W) in [-1, 1]; what shines through it is white. */
    static Tensor pixels(Image picture, int width, int height) {
        Image fitting = picture.over(0xffffff).resize(width, height, Resampling.LANCZOS);
        return Tensor.of(fitting.toChw(), 1, 3, height, width).mul(2).sub(1);
    }

    /** A latent drawn for each of {@code pictures} (1, 3, H, W), {@code count} times in a row: (B, z, h, w). */
    Tensor encode(List<Tensor> pictures, int count, Draws draws) {
        try (var scope = new Scope()) {
            List<AutoencoderKl.Posterior> all = pictures.stream().map(this::posterior).toList();
            // One generator draws once for each picture given, generators of their own once for each one made.
            int before = draws.shared() ? 1 : count;
            var posterior = new AutoencoderKl.Posterior(rows(all, AutoencoderKl.Posterior::mean).repeatInterleave(before, 0),
                    rows(all, AutoencoderKl.Posterior::logvar).repeatInterleave(before, 0));
            Tensor z = posterior.sample(draws.noise().next(posterior.mean())).repeatInterleave(count / before, 0);
            return scope.keep(z.mul(vae.config().scalingFactor()));
        }
    }

    private AutoencoderKl.Posterior posterior(Tensor picture) {
        return vae.encode(picture.to(load.dtype()).to(load.device()));
    }

    private static Tensor rows(List<AutoencoderKl.Posterior> all, Function<AutoencoderKl.Posterior, Tensor> of) {
        return Tensor.cat(0, all.stream().map(of).toArray(Tensor[]::new)).to(DType.F32).to(Device.CPU);
    }

    /** Latents (B, z, h, w) to pictures (B, 3, H, W) in [0, 1]. */
    Tensor decode(Tensor latents) {
        try (var scope = new Scope()) {
            Tensor[] pictures = new Tensor[(int) latents.size(0)];
            for (int i = 0; i < pictures.length; i++) {
                Tensor z = latents.narrow(0, i, 1).div(vae.config().scalingFactor()).to(load.dtype()).to(load.device());
                pictures[i] = vae.decode(z).to(DType.F32).mul(0.5).add(0.5).clamp(0, 1);
            }
            return scope.keep(Tensor.cat(0, pictures));
        }
    }

    static List<Image> images(Tensor pictures) {
        try (var scope = new Scope()) {
            List<Image> images = new ArrayList<>();
            for (int i = 0; i < pictures.size(0); i++) {
                images.add(Image.fromChw(pictures.select(0, i).contiguous().toFloats(), (int) pictures.size(3), (int) pictures.size(2)));
            }
            return images;
        }
    }
}
