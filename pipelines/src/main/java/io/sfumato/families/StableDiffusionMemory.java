package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.hub.ModelFolder;
import io.sfumato.io.ConfigJson;
import io.sfumato.io.TensorSource;
import io.sfumato.models.unet.UNetConfig;
import io.sfumato.models.vae.AutoencoderKl;
import io.sfumato.tensor.DType;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.LongStream;

/**
 * What a {@link StableDiffusion} will need, by counting what the scopes of its networks hold at once. Attention is computed in blocks,
 * so its scores are never held whole; pictures are decoded one at a time.
 */
final class StableDiffusionMemory {
    private StableDiffusionMemory() {
    }

    static MemoryEstimate of(ModelFolder folder, LoadOptions load, Prompt prompt, Options wanted) {
        ConfigJson json = folder.config("unet");
        UNetConfig unet = UNetConfig.of(json);
        AutoencoderKl.Config vae = AutoencoderKl.Config.of(folder.config("vae"));
        StableDiffusionKind kind = StableDiffusionKind.of(folder.pipeline(), json, unet, vae);
        kind.require(prompt);
        int own = json.integer("sample_size", 64) * vae.factor();
        Options o = kind.sized(wanted, prompt, vae.factor()).withOpenSides(own, own);
        return of(folder, load, List.of("text_encoder", "unet", "vae"), o.width(), o.height(), o);
    }

    /** The same for a folder of other components around a U-Net and an autoencoder. */
    static MemoryEstimate of(ModelFolder folder, LoadOptions load, List<String> components, int width, int height, Options o) {
        UNetConfig unet = UNetConfig.of(folder.config("unet"));
        AutoencoderKl.Config vae = AutoencoderKl.Config.of(folder.config("vae"));
        double pixels = (double) width * height;
        double latents = pixels / vae.factor() / vae.factor();
        double denoising = o.count() * (o.guidance() > 1 ? 2 : 1) * latents * unetNumbers(unet);
        double decoding = decoding(vae, load, pixels) / load.dtype().bytes();
        double pictures = o.count() * pixels * vae.outChannels() * 2;
        long weights = components.stream().mapToLong(component -> parameters(folder, component, name -> true)).sum();
        long packed = load.int8() ? parameters(folder, "unet", StableDiffusionMemory::isMultipliedInEightBits) : 0;
        // Of what the lesser stage held, half is still with the allocator; so is a tenth of the weights that another type was made of.
        double held = Math.max(denoising, decoding) + Math.min(denoising, decoding) / 2 + (load.dtype() == DType.F32 ? 0 : weights / 10.0);
        return new MemoryEstimate(o.count(), width, height, (weights - packed) * load.dtype().bytes() + packed,
                (long) ((held + pictures) * load.dtype().bytes()));
    }

    /** Whether a picture is coded a strip of rows at a time: at once it would need more than 2 GiB. */
    static boolean inStrips(AutoencoderKl.Config vae, LoadOptions load, double pixels) {
        return pixels * decoderNumbers(vae) * load.dtype().bytes() > 2.0 * (1L << 30);
    }

    private static double decoding(AutoencoderKl.Config vae, LoadOptions load, double pixels) {
        if (!inStrips(vae, load, pixels)) {
            return pixels * decoderNumbers(vae) * load.dtype().bytes();
        }
        int below = vae.widths()[Math.min(1, vae.widths().length - 1)];
        return held(pixels * vae.widths()[0], load) + held(pixels / 4 * below, load) + (1L << 29);
    }

    /** A map held whole: of half the bytes from 1 GiB on. */
    private static double held(double numbers, LoadOptions load) {
        return Math.min(numbers * load.dtype().bytes(), Math.max(1L << 30, numbers * 2));
    }

    private static boolean isMultipliedInEightBits(String name) {
        return name.contains(".attentions.") && name.endsWith(".weight") && !name.contains("norm");
    }

    private static long parameters(ModelFolder folder, String component, Predicate<String> which) {
        try (TensorSource source = folder.weights(component)) {
            return source.names().stream().filter(which)
                    .mapToLong(name -> LongStream.of(source.shape(name)).reduce(1, (a, b) -> a * b)).sum();
        }
    }

    /** Numbers for each latent pixel: the skips of all levels, and what the widest block works with. */
    private static double unetNumbers(UNetConfig c) {
        double skips = c.widths()[0];
        double widest = 0;
        for (int i = 0; i < c.widths().length; i++) {
            double pixels = Math.pow(0.25, i);
            int below = c.widths()[Math.min(i + 1, c.widths().length - 1)];
            skips += pixels * (c.layers()[i] + 1) * c.widths()[i];
            // A residual block: its input and both halves of it, twice normed and convolved; a Transformer: projections, three times
            // normed tokens, and a feed-forward layer of 16 widths.
            double residual = 3.0 * (c.widths()[i] + below) + 6.0 * c.widths()[i];
            double transformer = c.downAttends()[i] || c.upAttends()[i] ? 32.0 * c.widths()[i] : 0;
            widest = Math.max(widest, pixels * Math.max(residual, transformer));
        }
        // Measured: kernels laid out anew, and memory between tensors.
        return 1.4 * (skips + widest);
    }

    /** Numbers for each pixel: the last level works at the full size, its first block from the width of the level below, both twice. */
    private static double decoderNumbers(AutoencoderKl.Config c) {
        int below = c.widths()[Math.min(1, c.widths().length - 1)];
        return 2.0 * below + 2.0 * c.widths()[0];
    }
}
