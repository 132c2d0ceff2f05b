package io.sfumato.models.unet;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Functional;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Which places of a feature map attend as one (Bolya and Hoffman 2023, "Token Merging for Fast Stable Diffusion"). The first place of each
 * 2x2 window is a destination; of the others those most like one, by their cosine, are averaged into it before self-attention, and get its
 * answer after. The paper draws the destination in each window; the first one makes a picture depend on its seed alone.
 *
 * @param kept    places that stay as they are (K)
 * @param firsts  places that are destinations (D)
 * @param merged  places that are merged (M)
 * @param targets the destination of each of these, by its number among the destinations (M)
 * @param shares  one over how many places a destination stands for (D, 1)
 * @param origins for each place the row of the merged features (K + D) that it gets its answer from (HW)
 */
record TokenMerging(Tensor kept, Tensor firsts, Tensor merged, Tensor targets, Tensor shares, Tensor origins) {

    /**
     * For one picture: the share {@code ratio} of all places is merged, or all that are no destinations if these are fewer.
     *
     * @param x features (HW, C) that say which places are alike
     */
    static TokenMerging of(Tensor x, long height, long width, double ratio) {
        try (var scope = new Scope()) {
            Tensor firsts = places(height, width, true).to(x.device());                             // (D)
            Tensor others = places(height, width, false).to(x.device());                            // (S)
            long m = Math.min(others.numel(), (long) (height * width * ratio)), k = others.numel() - m, d = firsts.numel();
            Tensor unit = x.to(DType.F32);
            unit = unit.div(unit.square().sum(true, 1).sqrt());                                     // (HW, C)
            Tensor cosines = Functional.linear(unit.indexSelect(0, others), unit.indexSelect(0, firsts));           // (S, D)
            Tensor best = cosines.argmax(1);
            Tensor order = cosines.gather(1, best.unsqueeze(1)).squeeze(1).sort(0, true)[1];
            Tensor kept = others.indexSelect(0, order.narrow(0, m, k)), merged = others.indexSelect(0, order.narrow(0, 0, m));
            Tensor targets = best.indexSelect(0, order.narrow(0, 0, m));
            Tensor counts = Tensor.ones(d, 1).to(x.device()).indexAdd_(0, targets, Tensor.ones(m, 1).to(x.device()));
            Tensor rows = Tensor.arange(k + d).to(x.device());
            Tensor answers = Tensor.cat(0, rows, rows.narrow(0, k, d).indexSelect(0, targets));     // of those kept, first, merged
            Tensor origins = answers.indexSelect(0, Tensor.cat(0, kept, firsts, merged).sort(0, false)[1]);
            scope.keep(kept, firsts, merged, targets, origins);
            return new TokenMerging(kept, firsts, merged, targets, scope.keep(counts.pow(-1).to(x.dtype())), origins);
        }
    }

    /** One for each picture of x (B, HW, C), so that it does not matter which are drawn together. */
    static List<TokenMerging> ofAll(Tensor x, long height, long width, double ratio) {
        return IntStream.range(0, (int) x.size(0)).mapToObj(i -> of(x.select(0, i), height, width, ratio)).toList();
    }

    /** Features (B, HW, C) to those that attend (B, K + D, C); where nothing is merged they stay as they are. */
    static Tensor merge(Tensor x, List<TokenMerging> each) {
        return each.isEmpty() ? x : stacked(each.size(), i -> each.get(i).merge(x.select(0, i)));
    }

    /** What has attended (B, K + D, C) to all places (B, HW, C). */
    static Tensor unmerge(Tensor y, List<TokenMerging> each) {
        return each.isEmpty() ? y : stacked(each.size(), i -> y.select(0, i).indexSelect(0, each.get(i).origins));
    }

    private static Tensor stacked(int n, IntFunction<Tensor> row) {
        return Tensor.stack(0, IntStream.range(0, n).mapToObj(row).toArray(Tensor[]::new));
    }

    /** The places that are the first of a whole 2x2 window, or the others. */
    private static Tensor places(long height, long width, boolean firsts) {
        long[] places = LongStream.range(0, height * width).filter(p -> {
            long row = p / width, column = p % width;
            return (row % 2 == 0 && column % 2 == 0 && row + 1 < height && column + 1 < width) == firsts;
        }).toArray();
        return Tensor.of(places, places.length);
    }

    private Tensor merge(Tensor x) {                                                        // (HW, C)
        Tensor sums = x.indexSelect(0, firsts).indexAdd_(0, targets, x.indexSelect(0, merged));
        return Tensor.cat(0, x.indexSelect(0, kept), sums.mul_(shares));
    }

}
