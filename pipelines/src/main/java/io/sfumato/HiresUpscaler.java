package io.sfumato;

import io.sfumato.image.Resampling;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Interpolation;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.stream.Collectors;

/** How the small picture of a {@link HiresFix} is made large; named as in A1111's web UI. */
public sealed interface HiresUpscaler {
    HiresUpscaler LANCZOS = new OfPictures("Lanczos", Resampling.LANCZOS);
    HiresUpscaler BICUBIC = new OfPictures("Bicubic", Resampling.BICUBIC);
    HiresUpscaler BILINEAR = new OfPictures("Bilinear", Resampling.BILINEAR);
    HiresUpscaler LATENT = new OfLatents("Latent", Interpolation.BILINEAR, false);

    List<HiresUpscaler> ALL = List.of(LANCZOS, BICUBIC, BILINEAR, LATENT,
            new OfLatents("Latent (antialiased)", Interpolation.BILINEAR, true),
            new OfLatents("Latent (bicubic)", Interpolation.BICUBIC, false),
            new OfLatents("Latent (bicubic antialiased)", Interpolation.BICUBIC, true),
            new OfLatents("Latent (nearest)", Interpolation.NEAREST, false),
            new OfLatents("Latent (nearest-exact)", Interpolation.NEAREST_EXACT, false));

    String name();

    /** The picture is decoded, resized by Pillow's filter and encoded again. */
    record OfPictures(String name, Resampling filter) implements HiresUpscaler {
    }

    /** The latents are resized: quicker, and blurred or blocky, so that the second pass has more to do. */
    record OfLatents(String name, Interpolation kind, boolean antialias) implements HiresUpscaler {
        /** Latents (B, z, h, w) to (B, z, height, width). */
        public Tensor resize(Tensor latents, long height, long width) {
            return Functional.interpolate(latents, height, width, kind, antialias);
        }
    }

    /** @throws IllegalArgumentException for a name that is none of {@link #ALL}, upper and lower case alike */
    static HiresUpscaler named(String name) {
        return ALL.stream().filter(each -> each.name().equalsIgnoreCase(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown hires upscaler '" + name + "': use lanczos, bicubic or bilinear,"
                        + " or of the latents " + ALL.stream().filter(each -> each instanceof OfLatents).map(HiresUpscaler::name)
                        .collect(Collectors.joining(", "))));
    }
}
