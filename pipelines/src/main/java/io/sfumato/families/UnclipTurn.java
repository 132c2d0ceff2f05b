package io.sfumato.families;

import io.sfumato.Listener;
import io.sfumato.Options;
import io.sfumato.Prompt;
import io.sfumato.Turn;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** Ways between image embeddings (Ramesh et al. 2022, 3.2 and 3.3): on great circles, since CLIP compares directions. */
final class UnclipTurn {
    /** Below this sine of the angle a great circle is a line, or any of many. */
    private static final double STRAIGHT = 1e-6;

    /** Embeddings (n, E) of what prompts say, drawn from this noise. */
    @FunctionalInterface
    interface Imagination {
        Tensor of(List<Prompt> prompts, Draws draws);
    }

    /**
     * Where the embeddings come from that others are turned to, {@code o.count()} rows of each prompt.
     *
     * @param images asked only for prompts that are turned to a picture
     */
    record Ends(Supplier<UnclipImages> images, Imagination imagination, UnclipTexts encoder, Options o, Listener listener) {
        private Tensor pictures(List<Prompt> prompts) {
            return images.get().seen(prompts, Prompt.Role.TOWARD, o.count());
        }

        private Tensor imagined(List<Prompt> prompts) {
            // From the same noise, so that only the text differs.
            try (Draws again = new Draws(o, prompts.size() * o.count())) {
                return imagination.of(prompts, again);
            }
        }

        private Tensor texts(List<String> words) {
            return encoder.read(words, listener).each(o.count()).embeddings();
        }
    }

    private UnclipTurn() {
    }

    /** Embeddings (n, E) of prompts turned as these say. */
    static Tensor turned(Tensor embeddings, List<Prompt> prompts, Ends ends) {
        Tensor shares = shares(prompts, (int) embeddings.size(0));
        return switch (prompts.get(0).turn().kind()) {
            case NONE -> embeddings;
            case PICTURE -> between(embeddings, ends.pictures(prompts), shares);
            case TEXT -> between(embeddings, ends.imagined(ends(prompts)), shares);
            case DIFFERENCE -> along(embeddings, ends.texts(texts(prompts, Turn::from)), ends.texts(texts(prompts, Turn::to)), shares);
        };
    }

    /** The prompts to end at, which are themselves turned to nothing. */
    static List<Prompt> ends(List<Prompt> prompts) {
        return prompts.stream().map(p -> Prompt.of(p.turn().to()).withNegative(p.negative())).toList();
    }

    private static List<String> texts(List<Prompt> prompts, Function<Turn, String> of) {
        return prompts.stream().map(p -> of.apply(p.turn())).toList();
    }

    /** How far each of {@code rows} embeddings is turned, (rows, 1). */
    static Tensor shares(List<Prompt> prompts, int rows) {
        float[] shares = new float[rows];
        for (int i = 0; i < rows; i++) {
            shares[i] = (float) prompts.get(i / (rows / prompts.size())).turn().share();
        }
        return Tensor.of(shares, rows, 1);
    }

    /** Each row of {@code a} (n, E) a share (n, 1) of the way to its row of {@code b}: the length changes evenly, and so does the angle. */
    static Tensor between(Tensor a, Tensor b, Tensor shares) {
        try (var scope = new Scope()) {
            Tensor x = exact(a), y = exact(b), t = exact(shares);
            Tensor long1 = length(x), long2 = length(y);
            Tensor length = long1.mul(t.neg().add(1)).add(long2.mul(t));                                        // (n, 1)
            return scope.keep(turned(x.div(long1), y.div(long2), t).mul(length).to(a));
        }
    }

    /** Each row of {@code a} (n, E) a share (n, 1) of the way to the direction that leads from one text to another; as long as it was. */
    static Tensor along(Tensor a, Tensor from, Tensor to, Tensor shares) {
        try (var scope = new Scope()) {
            Tensor x = exact(a), difference = unit(exact(to)).sub(unit(exact(from)));
            return scope.keep(turned(unit(x), unit(difference), exact(shares)).mul(length(x)).to(a));
        }
    }

    /** Directions a share of the way between directions (Shoemake 1985). */
    private static Tensor turned(Tensor a, Tensor b, Tensor t) {
        double[] apart = length(a.sub(b)).toDoubles(), together = length(a.add(b)).toDoubles(), shares = t.toDoubles();
        double[] first = new double[shares.length], second = new double[shares.length];
        for (int i = 0; i < shares.length; i++) {
            double angle = 2 * Math.atan2(apart[i], together[i]), sine = Math.sin(angle);
            boolean straight = sine < STRAIGHT;
            first[i] = straight ? 1 - shares[i] : Math.sin((1 - shares[i]) * angle) / sine;
            second[i] = straight ? shares[i] : Math.sin(shares[i] * angle) / sine;
        }
        return a.mul(Tensor.of(first, first.length, 1)).add(b.mul(Tensor.of(second, second.length, 1)));
    }

    private static Tensor exact(Tensor x) {
        return x.to(Device.CPU).to(DType.F64);
    }

    private static Tensor length(Tensor x) {
        return x.square().sum(true, -1).sqrt();
    }

    private static Tensor unit(Tensor x) {
        return x.div(length(x));
    }
}
