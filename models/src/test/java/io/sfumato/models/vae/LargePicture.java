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
 * Measures, on Linux, the memory that decoding takes above the weights, at the size of Stable Diffusion's autoencoder with random
 * weights: {@code LargePicture WIDTH HEIGHT [WIDTH OF THE FIRST LEVEL]}.
 */
final class LargePicture {
    private LargePicture() {
    }

    public static void main(String[] args) throws IOException {
        int width = Integer.parseInt(args[0]), height = Integer.parseInt(args[1]), c = args.length > 2 ? Integer.parseInt(args[2]) : 128;
        var config = new AutoencoderKl.Config(3, 3, 4, new int[] {c, 2 * c, 4 * c, 4 * c}, 2, 32, Activation.SILU, true, true,
                true, 0.18215);
        try (var noGrad = new NoGrad(); var scope = new Scope(); var rng = new Rng(1); Weights weights = Weights.init(rng, Device.CPU)) {
            AutoencoderKl vae = new AutoencoderKl(weights, config);
            Tensor z = rng.randn(1, 4, height / 8, width / 8);
            long before = kibibytes("VmRSS"), start = System.nanoTime();
            Tensor picture = vae.decodeInStrips(z);
            System.out.printf("%dx%d: %d MiB at most above the %d MiB before, %.0f s, finite: %b%n", width, height,
                    (kibibytes("VmHWM") - before) >> 10, before >> 10, (System.nanoTime() - start) / 1e9, picture.isFinite());
        }
    }

    private static long kibibytes(String key) throws IOException {
        Matcher matcher = Pattern.compile(key + ":\\s+(\\d+) kB").matcher(Files.readString(Path.of("/proc/self/status")));
        matcher.find();
        return Long.parseLong(matcher.group(1));
    }
}
