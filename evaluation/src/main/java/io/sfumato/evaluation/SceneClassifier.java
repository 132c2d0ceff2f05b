package io.sfumato.evaluation;

import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.nn.Linear;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.scenes.Scenes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads a picture of the clip-art world: which thing is on the left (or alone), which on the right, if any, and their colours. A small
 * residual convolutional network (He et al. 2016) that halves the sides four times; features keep their column, so that left and right
 * can be told apart. It knows no captions, so it judges a picture without knowing what was asked for.
 */
public final class SceneClassifier implements AutoCloseable {
    /** {@link Reading#right()} of a picture with one thing. */
    public static final int NOTHING = -1;

    private static final List<String> NOUNS = Scenes.nouns();
    private static final List<Colour> COLOURS = List.of(Colour.values());
    private static final int GROUPS = 8;
    private static final int BATCH = 50;

    /** What one picture shows: places in {@link Scenes#nouns()}, {@code right} may be {@link #NOTHING}, and the nearest colour words. */
    public record Reading(int left, int right, Colour leftColour, Colour rightColour) {
    }

    /**
     * @param size   side of the pictures, a multiple of 16
     * @param widths channels at 1/2, 1/4, 1/8 and 1/16 of it, multiples of 8
     */
    record Config(int size, int[] widths) {
        Config {
            if (size < 16 || size % 16 != 0 || widths.length != 4) {
                throw new IllegalArgumentException("a scene classifier of size " + size + " and " + widths.length
                        + " widths: a multiple of 16 and 4 widths are wanted");
            }
        }

        /** Half a million parameters. */
        static Config of64() {
            return new Config(64, new int[] {32, 64, 96, 128});
        }

        int columns() {
            return size / 16;
        }
    }

    /** Scores before softmax: left (B, nouns), right (B, nouns + 1; the last is nothing), colours (B, colours) each. */
    record Scores(Tensor left, Tensor right, Tensor leftColour, Tensor rightColour) {
    }

    private final Weights weights;
    private final Config config;
    private final List<Stage> stages = new ArrayList<>();
    private final Linear head;

    SceneClassifier(Weights w, Config config) {
        this.weights = w;
        this.config = config;
        int channels = 3;
        for (int i = 0; i < config.widths().length; i++) {
            stages.add(new Stage(w.sub("stages").sub(String.valueOf(i)), channels, config.widths()[i]));
            channels = config.widths()[i];
        }
        head = new Linear(w.sub("head"), (long) channels * config.columns(), 2L * NOUNS.size() + 1 + 2L * COLOURS.size());
    }

    /**
     * Reads a file that {@link #write} made.
     *
     * @throws CheckpointException when it is no such file, or was trained on other nouns
     */
    public static SceneClassifier load(Path file) {
        try (SafeTensors source = SafeTensors.open(file)) {
            String nouns = String.join(" ", NOUNS);
            if (!nouns.equals(source.metadata().get("nouns"))) {
                throw new CheckpointException(file + ": no scene classifier of these " + NOUNS.size() + " nouns: train it anew");
            }
            return Weights.load(source, DType.F32, Device.CPU).build(w -> new SceneClassifier(w, Config.of64()), extra -> false);
        }
    }

    /** Writes the weights as safetensors, with the nouns they were trained on. */
    public void write(Path file) {
        SafeTensors.write(file, weights.parameters(), Map.of("nouns", String.join(" ", NOUNS)));
    }

    /** x (B, 3, S, S) in [-1, 1]. */
    Scores forward(Tensor x) {
        for (Stage stage : stages) {
            x = stage.forward(x);                                                                   // (B, C, S/16, S/16) in the end
        }
        Tensor columns = x.mean(false, 2).flatten(1, 2);                                            // (B, C * S/16)
        Tensor y = head.forward(columns);
        long n = NOUNS.size(), c = COLOURS.size();
        return new Scores(y.narrow(1, 0, n), y.narrow(1, n, n + 1), y.narrow(1, 2 * n + 1, c), y.narrow(1, 2 * n + 1 + c, c));
    }

    /** Halves the sides, then refines: conv, norm, silu, and once more as a residual. */
    private static final class Stage {
        private final Conv2d down;
        private final GroupNorm norm1;
        private final Conv2d conv;
        private final GroupNorm norm2;

        Stage(Weights w, int in, int out) {
            down = new Conv2d(w.sub("down"), in, out, 3, 2, 1);
            norm1 = new GroupNorm(w.sub("norm1"), GROUPS, out, 1e-5);
            conv = new Conv2d(w.sub("conv"), out, out, 3);
            norm2 = new GroupNorm(w.sub("norm2"), GROUPS, out, 1e-5);
        }

        /** x (B, in, H, W) to (B, out, H/2, W/2). */
        Tensor forward(Tensor x) {
            try (var scope = new Scope()) {
                x = norm1.forward(down.forward(x)).silu();
                return scope.keep(x.add(norm2.forward(conv.forward(x)).silu()));
            }
        }
    }

    /** Reads pictures of any one size; those of another than the classifier's are resized. */
    public List<Reading> read(List<Image> pictures) {
        List<Reading> readings = new ArrayList<>();
        try (var noGrad = new NoGrad()) {
            for (int from = 0; from < pictures.size(); from += BATCH) {
                try (var scope = new Scope()) {
                    List<Image> batch = pictures.subList(from, Math.min(from + BATCH, pictures.size()));
                    readings.addAll(readings(forward(Pictures.tensor(batch, config.size()))));
                }
            }
        }
        return readings;
    }

    private static List<Reading> readings(Scores scores) {
        long[] left = scores.left().argmax(1).toLongs(), right = scores.right().argmax(1).toLongs();
        long[] leftColour = scores.leftColour().argmax(1).toLongs(), rightColour = scores.rightColour().argmax(1).toLongs();
        List<Reading> readings = new ArrayList<>();
        for (int i = 0; i < left.length; i++) {
            readings.add(new Reading((int) left[i], right[i] == NOUNS.size() ? NOTHING : (int) right[i],
                    COLOURS.get((int) leftColour[i]), COLOURS.get((int) rightColour[i])));
        }
        return readings;
    }

    @Override
    public void close() {
        weights.close();
    }
}
