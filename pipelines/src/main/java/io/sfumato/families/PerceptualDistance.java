package io.sfumato.families;

import io.sfumato.LoadOptions;
import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.TensorSource;
import io.sfumato.models.lpips.Lpips;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** LPIPS (Zhang et al. 2018) with the user's files: 0 for two pictures that look the same. */
public final class PerceptualDistance implements AutoCloseable {
    private static final List<String> ENDINGS = List.of(".pth", ".pt", ".safetensors");
    /** Side of the smallest pictures: VGG16 halves them four times. */
    private static final int LEAST = 16;

    private final OpenFiles files = new OpenFiles(LoadOptions.defaults());
    private final Lpips lpips;

    private PerceptualDistance(Path folder) {
        try {
            TensorSource vgg = find(folder, "features.0.weight", "torchvision's VGG16 (such as vgg16-397923af.pth)");
            TensorSource linear = find(folder, "lin0.model.1.weight", "the lpips package's weights for it (vgg.pth, version 0.1)");
            lpips = Lpips.load(files.weights(vgg), files.weights(linear), Lpips.Config.of(vgg));
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    /**
     * Reads torchvision's VGG16 and the lpips package's {@code vgg.pth}, which may have any names, from {@code folder}.
     *
     * @throws CheckpointException naming what is not there
     */
    public static PerceptualDistance load(Path folder) {
        return new PerceptualDistance(folder);
    }

    private TensorSource find(Path folder, String tensor, String what) {
        List<Path> candidates = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (Stream<Path> all = Files.list(folder)) {
                all.filter(file -> ENDINGS.stream().anyMatch(file.toString()::endsWith)).sorted().forEach(candidates::add);
            } catch (IOException e) {
                throw new UncheckedIOException(folder + ": cannot be read: " + e.getMessage(), e);
            }
        }
        return candidates.stream().map(files::open).filter(file -> file.names().contains(tensor)).findFirst()
                .orElseThrow(() -> new CheckpointException(folder + ": no LPIPS: " + what + " is wanted in it, with a tensor " + tensor));
    }

    /** The mean distance of pictures (B, 3, H, W) in [0, 1] to their counterparts; gradients flow to both. */
    public Tensor distance(Tensor a, Tensor b) {
        if (a.size(2) < LEAST || a.size(3) < LEAST) {
            throw new IllegalArgumentException("pictures of " + a.size(3) + "x" + a.size(2) + ": LPIPS wants " + LEAST
                    + " pixels a side or more");
        }
        return lpips.forward(a, b).mean();
    }

    /** The distance of two pictures of one size. */
    public double distance(Image a, Image b) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            return distance(tensor(a), tensor(b)).item();
        }
    }

    private static Tensor tensor(Image image) {
        return Tensor.of(image.rgb().toChw(), 1, 3, image.height(), image.width());
    }

    @Override
    public void close() {
        files.close();
    }
}
