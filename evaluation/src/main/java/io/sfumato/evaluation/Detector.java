package io.sfumato.evaluation;

import io.sfumato.image.Image;
import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.nn.Conv2d;
import io.sfumato.nn.GroupNorm;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import io.sfumato.training.scenes.Colour;
import io.sfumato.training.world.Box;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Finds the things in a picture of clip-art world, in the manner of CenterNet (Zhou et al. 2019, sections 3 and 4): each noun has a map of
 * where centres of its things are, and at a centre stand the colour and the size. A convolutional network that halves the sides four
 * times and comes back twice with the finer features added (Lin et al. 2017). It knows no captions, so it judges a picture without
 * knowing what was asked for.
 */
public final class Detector implements AutoCloseable {
    /** Side of the pictures. */
    public static final int SIZE = 64;
    /** Side of the maps. */
    static final int CELLS = 16;

    private static final String BUNDLED = "/io/sfumato/bundled/detectors/clipart-world.safetensors";
    private static final List<Colour> COLOURS = List.of(Colour.values());
    private static final int GROUPS = 8;
    private static final int BATCH = 50;
    /** Added to the maps so that a fresh network finds next to nothing. */
    private static final double PRIOR = -4;

    /**
     * @param nouns  what can be found
     * @param widths channels at 1/2, 1/4, 1/8 and 1/16 of the side, multiples of 8
     */
    record Config(List<String> nouns, List<Integer> widths) {
        Config {
            nouns = List.copyOf(nouns);
            widths = List.copyOf(widths);
            if (nouns.isEmpty() || widths.size() != 4 || widths.stream().anyMatch(w -> w < 1 || w % GROUPS != 0)) {
                throw new IllegalArgumentException("a detector of nouns " + nouns + " and widths " + widths
                        + ": nouns and 4 multiples of " + GROUPS + " are wanted");
            }
        }

        /** 1.2 million parameters. */
        static Config standard(List<String> nouns) {
            return new Config(nouns, List.of(32, 64, 96, 128));
        }

        private static Config of(Path file, Map<String, String> metadata) {
            String nouns = metadata.getOrDefault("nouns", ""), widths = metadata.getOrDefault("widths", "");
            if (nouns.isEmpty() || !widths.matches("\\d{1,4}(,\\d{1,4})*")) {
                throw new CheckpointException(file + ": no detector of clip-art world: its metadata has no 'nouns' and 'widths'");
            }
            return new Config(List.of(nouns.split(",")), Arrays.stream(widths.split(",")).map(Integer::valueOf).toList());
        }

        private Map<String, String> metadata() {
            return Map.of("nouns", String.join(",", nouns),
                    "widths", widths.stream().map(String::valueOf).collect(Collectors.joining(",")));
        }
    }

    /** A thing that is seen: how surely, what, of which colour (the nearest word, named or not), where. */
    public record Detection(double score, String noun, Colour colour, Box box) {
    }

    /**
     * What the network says of a batch, before any sigmoid or softmax: {@code centres} (B, nouns, 16, 16), {@code colours}
     * (B, colours, 16, 16), {@code boxes} (B, 4, 16, 16: width, height, x and y within the cell) and the pooled {@code features} (B, F).
     */
    record Maps(Tensor centres, Tensor colours, Tensor boxes, Tensor features) {
    }

    private final Weights weights;
    private final Config config;
    private final Conv2d stem;
    private final GroupNorm stemNorm;
    private final Stage fine;
    private final Stage middle;
    private final Stage coarse;
    private final Merge toMiddle;
    private final Merge toFine;
    private final Conv2d headConv;
    private final Conv2d headOut;

    Detector(Weights w, Config config) {
        this.weights = w;
        this.config = config;
        int half = config.widths().get(0), quarter = config.widths().get(1), eighth = config.widths().get(2);
        int least = config.widths().get(3);
        stem = new Conv2d(w.sub("stem"), 3, half, 3, 2, 1);
        stemNorm = new GroupNorm(w.sub("stem_norm"), GROUPS, half, 1e-5);
        fine = new Stage(w.sub("fine"), half, quarter, 1);
        middle = new Stage(w.sub("middle"), quarter, eighth, 2);
        coarse = new Stage(w.sub("coarse"), eighth, least, 1);
        toMiddle = new Merge(w.sub("to_middle"), least, eighth);
        toFine = new Merge(w.sub("to_fine"), eighth, quarter);
        headConv = new Conv2d(w.sub("head.conv"), quarter, quarter, 3);
        headOut = new Conv2d(w.sub("head.out"), quarter, config.nouns().size() + COLOURS.size() + 4L, 1);
    }

    /**
     * Reads a file that {@link #write} made.
     *
     * @throws CheckpointException when it is no such file
     */
    public static Detector load(Path file) {
        try (SafeTensors source = SafeTensors.open(file)) {
            Config config = Config.of(file, source.metadata());
            return Weights.load(source, DType.F32, Device.CPU).build(w -> new Detector(w, config), extra -> false);
        }
    }

    /** The detector of the first vocabulary ({@code WorldConfig.SIXTY}), from module {@code bundled}. */
    public static Detector bundled() {
        try (InputStream in = Detector.class.getResourceAsStream(BUNDLED)) {
            if (in == null) {
                throw new IllegalStateException("No detector of clip-art world on the class path: add io.sfumato:bundled");
            }
            Path copy = Files.createTempFile("sfumato-detector", ".safetensors");
            try {
                Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
                return load(copy);
            } finally {
                Files.delete(copy);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the bundled detector cannot be read: " + e.getMessage(), e);
        }
    }

    /** Writes the weights as safetensors in float16, with the nouns that it knows. */
    public void write(Path file) {
        try (var scope = new Scope(); var noGrad = new NoGrad()) {
            Map<String, Tensor> halves = new LinkedHashMap<>();
            weights.parameters().forEach((name, x) -> halves.put(name, x.detach().to(DType.F16)));
            SafeTensors.write(file, halves, config.metadata());
        }
    }

    /** What it can find. */
    public List<String> nouns() {
        return config.nouns();
    }

    /** x (B, 3, 64, 64) in [-1, 1]. */
    Maps forward(Tensor x) {
        Tensor a = fine.forward(stemNorm.forward(stem.forward(x)).silu());                         // (B, C1, 16, 16)
        Tensor b = middle.forward(a);                                                              // (B, C2, 8, 8)
        Tensor c = coarse.forward(b);                                                              // (B, C3, 4, 4)
        Tensor features = Tensor.cat(1, b.mean(false, 2, 3), c.mean(false, 2, 3));                 // (B, C2 + C3)
        Tensor y = toFine.forward(toMiddle.forward(c, b), a);                                      // (B, C1, 16, 16)
        y = headOut.forward(headConv.forward(y).silu());                                           // (B, nouns + colours + 4, 16, 16)
        int n = config.nouns().size(), k = COLOURS.size();
        return new Maps(y.narrow(1, 0, n).add(PRIOR), y.narrow(1, n, k), y.narrow(1, n + k, 4), features);
    }

    /** Two convolutions around which the input goes (He et al. 2016). */
    private static final class Residual {
        private final Conv2d conv1;
        private final GroupNorm norm1;
        private final Conv2d conv2;
        private final GroupNorm norm2;

        Residual(Weights w, int width) {
            conv1 = new Conv2d(w.sub("conv1"), width, width, 3);
            norm1 = new GroupNorm(w.sub("norm1"), GROUPS, width, 1e-5);
            conv2 = new Conv2d(w.sub("conv2"), width, width, 3);
            norm2 = new GroupNorm(w.sub("norm2"), GROUPS, width, 1e-5);
        }

        /** x (B, C, H, W), the shape stays. */
        Tensor forward(Tensor x) {
            try (var scope = new Scope()) {
                Tensor h = norm1.forward(conv1.forward(x)).silu();
                return scope.keep(x.add(norm2.forward(conv2.forward(h))).silu());
            }
        }
    }

    /** Halves the sides, then refines. */
    private static final class Stage {
        private final Conv2d down;
        private final GroupNorm norm;
        private final List<Residual> blocks = new ArrayList<>();

        Stage(Weights w, int in, int out, int depth) {
            down = new Conv2d(w.sub("down"), in, out, 3, 2, 1);
            norm = new GroupNorm(w.sub("norm"), GROUPS, out, 1e-5);
            for (int i = 0; i < depth; i++) {
                blocks.add(new Residual(w.sub("blocks").sub(String.valueOf(i)), out));
            }
        }

        /** x (B, in, H, W) to (B, out, H/2, W/2). */
        Tensor forward(Tensor x) {
            x = norm.forward(down.forward(x)).silu();
            for (Residual block : blocks) {
                x = block.forward(x);
            }
            return x;
        }
    }

    /** Brings coarse features to the next finer ones. */
    private static final class Merge {
        private final Conv2d conv;
        private final Residual block;

        Merge(Weights w, int in, int out) {
            conv = new Conv2d(w.sub("conv"), in, out, 1);
            block = new Residual(w.sub("block"), out);
        }

        /** coarse (B, in, H/2, W/2) and fine (B, out, H, W) to (B, out, H, W). */
        Tensor forward(Tensor coarse, Tensor fine) {
            Tensor x = Functional.upsampleNearest(conv.forward(coarse), fine.size(2), fine.size(3));
            return block.forward(x.add(fine));
        }
    }

    /** What each picture shows, of any one size, and the pictures' features. */
    public Reading read(List<Image> pictures) {
        List<List<Detection>> found = new ArrayList<>();
        List<double[]> features = new ArrayList<>();
        try (var noGrad = new NoGrad()) {
            for (int from = 0; from < pictures.size(); from += BATCH) {
                try (var scope = new Scope()) {
                    Maps maps = forward(Pictures.tensor(pictures.subList(from, Math.min(from + BATCH, pictures.size())), SIZE));
                    float[] centres = maps.centres().sigmoid().contiguous().toFloats();
                    float[] colours = maps.colours().contiguous().toFloats();
                    float[] boxes = maps.boxes().sigmoid().contiguous().toFloats();
                    float[] rows = maps.features().contiguous().toFloats();
                    int batch = (int) maps.centres().size(0), width = rows.length / batch;
                    for (int i = 0; i < batch; i++) {
                        found.add(new Peaks(config.nouns(), centres, colours, boxes).of(i));
                        double[] row = new double[width];
                        for (int j = 0; j < width; j++) {
                            row[j] = rows[i * width + j];
                        }
                        features.add(row);
                    }
                }
            }
        }
        return new Reading(found, features);
    }

    /** Of each picture, what is in it (the surest first) and its features, in which Frechet distances are taken. */
    public record Reading(List<List<Detection>> found, List<double[]> features) {
    }

    @Override
    public void close() {
        weights.close();
    }
}
