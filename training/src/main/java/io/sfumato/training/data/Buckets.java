package io.sfumato.training.data;

import io.sfumato.image.Image;
import io.sfumato.image.Resampling;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Shapes in which pictures are trained, so that little of each is cut off (NovelAI's aspect ratio bucketing, 2022): all have about the
 * area of {@code side} * {@code side}, sides that are multiples of {@code step}, and no side more than {@code ratio} times the other.
 */
public final class Buckets {
    /** A shape in pixels. */
    public record Shape(int width, int height) {
    }

    private final List<Shape> shapes;

    public Buckets(int side, int step, double ratio) {
        if (step < 1 || side < step || side % step != 0 || !(ratio >= 1)) {
            throw new IllegalArgumentException("buckets of side " + side + ", step " + step + ", ratio " + ratio
                    + ": side must be a multiple of step, and ratio 1 or more");
        }
        List<Shape> all = new ArrayList<>();
        for (int width = step; width <= side * ratio; width += step) {
            int height = (int) Math.round((double) side * side / width / step) * step;
            if (height >= step && width <= height * ratio && height <= width * ratio) {
                all.add(new Shape(width, height));
            }
        }
        shapes = List.copyOf(all);
    }

    /** From the narrowest to the widest. */
    public List<Shape> shapes() {
        return shapes;
    }

    /** The shape nearest to a picture's, by the logarithm of width over height. */
    public Shape of(int width, int height) {
        double aspect = Math.log((double) width / height);
        return shapes.stream().min(Comparator.comparingDouble(s -> Math.abs(Math.log((double) s.width() / s.height()) - aspect)))
                .orElseThrow();
    }

    /** The picture in its shape: scaled to cover it, and what is over cut off evenly. */
    public Image fit(Image image) {
        Shape shape = of(image.width(), image.height());
        double scale = Math.max((double) shape.width() / image.width(), (double) shape.height() / image.height());
        int width = Math.max(shape.width(), (int) Math.round(image.width() * scale));
        int height = Math.max(shape.height(), (int) Math.round(image.height() * scale));
        return image.resize(width, height, Resampling.BICUBIC)
                .crop((width - shape.width()) / 2, (height - shape.height()) / 2, shape.width(), shape.height());
    }

    /**
     * Places of pictures in batches of one shape each, in an order of {@code seed}. Every picture is in at most one batch; those that
     * do not fill a batch of their shape wait for another seed.
     */
    public List<int[]> batches(List<Shape> pictures, int batch, long seed) {
        if (batch < 1) {
            throw new IllegalArgumentException("batch must be at least 1, not " + batch);
        }
        Random random = new Random(seed);
        List<Integer> order = new ArrayList<>(IntStream.range(0, pictures.size()).boxed().toList());
        Collections.shuffle(order, random);
        Map<Integer, List<Integer>> open = new TreeMap<>();
        List<int[]> batches = new ArrayList<>();
        for (int picture : order) {
            List<Integer> waiting = open.computeIfAbsent(shapes.indexOf(pictures.get(picture)), s -> new ArrayList<>());
            waiting.add(picture);
            if (waiting.size() == batch) {
                batches.add(waiting.stream().mapToInt(i -> i).toArray());
                waiting.clear();
            }
        }
        Collections.shuffle(batches, random);
        return batches;
    }
}
