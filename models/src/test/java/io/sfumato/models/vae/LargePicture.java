package io.sfumato.models.vae;

import io.sfumato.io.Weights;
import io.sfumato.nn.Activation;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Measures, on Linux, the memory that decoding or encoding takes above the weights, at the size of Stable Diffusion's autoencoder with
 * random weights: {@code LargePicture decode|encode WIDTH HEIGHT [WIDTH OF THE FIRST LEVEL]}.
 */
final class LargePicture {
    private LargePicture() {
    }

    public static void main(String[] args) throws IOException {
        boolean decodes = args[0].equals("decode");
        int width = Integer.parseInt(args[1]), height = Integer.parseInt(args[2]), c = args.length > 3 ? Integer.parseInt(args[3]) : 128;
        var config = new AutoencoderKl.Config(3, 3, 4, new int[] {c, 2 * c, 4 * c, 4 * c}, 2, 32, Activation.SILU, true, true,
                true, 0.18215);
        try (var noGrad = new NoGrad(); var scope = new Scope(); var rng = new Rng(1); Weights weights = Weights.init(rng, Device.CPU)) {
            AutoencoderKl vae = new AutoencoderKl(weights, config);
            Tensor given = decodes ? rng.randn(1, 4, height / 8, width / 8) : rng.randn(1, 3, height, width);
            long before = kibibytes("VmRSS"), start = System.nanoTime();
            Tensor made = decodes ? vae.decodeInStrips(given) : vae.encodeInStrips(given).mean();
            System.out.printf("%s %dx%d: %d MiB at most above the %d MiB before, %.0f s, finite: %b%n", args[0], width, height,
                    (kibibytes("VmHWM") - before) >> 10, before >> 10, (System.nanoTime() - start) / 1e9, made.isFinite());
        }
    }

    private static long kibibytes(String key) throws IOException {
        Matcher matcher = Pattern.compile(key + ":\\s+(\\d+) kB").matcher(Files.readString(Path.of("/proc/self/status")));
        matcher.find();
        return Long.parseLong(matcher.group(1));
    }
}
