package io.sfumato.bench;

import io.sfumato.autoregressive.Reconstruction;
import io.sfumato.image.Image;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** How far pictures are from those of the same names in another folder: {@code PictureDistances EXACT OTHER...}, as a mean PSNR in dB. */
public final class PictureDistances {
    private PictureDistances() {
    }

    public static void main(String[] args) throws IOException {
        Path exact = Path.of(args[0]);
        for (String other : List.of(args).subList(1, args.length)) {
            try (var scope = new Scope(); Stream<Path> files = Files.walk(exact)) {
                double psnr = files.filter(PictureDistances::isDrawn)
                        .mapToDouble(file -> Reconstruction.psnr(tensor(file), tensor(Path.of(other).resolve(exact.relativize(file)))))
                        .average().orElseThrow();
                System.out.printf(Locale.ROOT, "%s: PSNR %.1f dB%n", other, psnr);
            }
        }
    }

    /** A report's training scenes are the same in every folder. */
    private static boolean isDrawn(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".png") && !name.startsWith("near-");
    }

    private static Tensor tensor(Path file) {
        Image image = Image.read(file);
        return Tensor.of(image.toBytes(), image.height(), image.width(), image.channels()).to(DType.F32).div(255);
    }
}
