package io.sfumato.evaluation;

import io.sfumato.image.Image;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/**
 * How far pictures are from the nearest of the first training scenes: root mean square of the differences of channel values (0 to 255)
 * after both are reduced to 16 x 16. A model that copied its training scenes would come closer to them than fresh scenes do.
 */
final class NearestScenes implements AutoCloseable {
    private static final int SIDE = 16;
    private static final int BATCH = 100;

    private final int size;
    private final Tensor scenes;                                                                        // (N, 3 * 16 * 16)

    /** Draws the training scenes of seeds 0 to {@code count - 1}. */
    NearestScenes(LongFunction<Image> scene, int count, Progress progress) {
        this.size = scene.apply(0).width();
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            List<Tensor> parts = new ArrayList<>();
            for (long from = 0; from < count; from += BATCH) {
                try (var inner = new Scope()) {
                    List<Image> batch = LongStream.range(from, Math.min(from + BATCH, count)).mapToObj(scene).toList();
                    parts.add(inner.keep(reduced(Pictures.tensor(batch, size))));
                    progress.step("training scenes", from + batch.size(), count, Double.NaN);
                }
            }
            scenes = Tensor.cat(0, parts.toArray(Tensor[]::new)).retain();
        }
    }

    /** The seed of a scene, and how far it is. */
    record Nearest(long seed, double distance) {
    }

    /** The distance of each picture, ascending. */
    double[] distances(List<Image> pictures) {
        return of(pictures).stream().mapToDouble(Nearest::distance).sorted().toArray();
    }

    /** The nearest scene of each picture. */
    List<Nearest> of(List<Image> pictures) {
        List<Nearest> all = new ArrayList<>();
        try (var noGrad = new NoGrad()) {
            for (int from = 0; from < pictures.size(); from += BATCH) {
                try (var scope = new Scope()) {
                    List<Image> batch = pictures.subList(from, Math.min(from + BATCH, pictures.size()));
                    Tensor x = reduced(Pictures.tensor(batch, size));                                   // (B, 768)
                    Tensor squares = scenes.square().sum(false, 1).unsqueeze(0).add(x.square().sum(true, 1))
                            .sub(x.matmul(scenes.transpose(0, 1)).mul(2));                              // (B, N)
                    float[] nearest = squares.amin(false, 1).relu().div(x.size(1)).sqrt().mul(127.5).toFloats();
                    long[] seeds = squares.neg().argmax(1).toLongs();
                    for (int i = 0; i < nearest.length; i++) {
                        all.add(new Nearest(seeds[i], nearest[i]));
                    }
                }
            }
        }
        return all;
    }

    private static Tensor reduced(Tensor pictures) {
        return Functional.avgPool2d(pictures.contiguous(), pictures.size(2) / SIDE).flatten(1, 3).contiguous();
    }

    @Override
    public void close() {
        scenes.close();
    }
}
