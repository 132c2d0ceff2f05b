package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the keys of a recipe's loops that may be left out do to a training. */
class LoopKeysTest {
    @TempDir
    Path temp;

    /** The column {@code name} of a stage's curve. */
    private double[] column(String run, String stage, String name) throws IOException {
        var lines = Files.readAllLines(temp.resolve(run).resolve(stage + ".csv"));
        int at = Arrays.asList(lines.get(0).split(",")).indexOf(name);
        return lines.stream().skip(1).mapToDouble(line -> Double.parseDouble(line.split(",")[at])).toArray();
    }

    private void train(String run, String keys) {
        Recipe recipe = RecipeTest.tiny(temp, RecipeTest.TINY.replace("saveEvery: 4", "saveEvery: 10" + keys));
        new Trainer(recipe, temp.resolve(run), (stage, done, total, loss) -> { }).train(saved -> { });
    }

    @Test
    void batchesInPartsHaveTheLossOfWholeOnesAndOtherOptimizersAndSchedulesTrainToo() throws IOException {
        train("whole", "");
        train("parts", ", accumulate: 3");
        train("other", ", optimizer: adafactor, schedule: constant");
        assertThat(column("other", "autoencoder", "loss")[0]).isEqualTo(column("whole", "autoencoder", "loss")[0]);
        for (String stage : new String[] {"autoencoder", "diffusion"}) {
            assertThat(column("parts", stage, "loss")).as(stage).containsExactly(column("whole", stage, "loss"), within(1e-4));
            double[] whole = column("whole", stage, "loss"), other = column("other", stage, "loss");
            assertThat(other[9]).isNotEqualTo(whole[9]).isLessThan(2 * whole[0]);
            assertThat(column("other", stage, "rate")).startsWith(0.0005, 0.001).endsWith(0.001, 0.001);
        }
    }

    @Test
    void logitNormalTimesAreMoreOftenInTheMiddle() {
        try (Rng rng = new Rng(1); Scope scope = new Scope()) {
            long[] times = DiffusionTrainer.times("logit-normal", rng, 20_000, 1000).toLongs();
            assertThat(Arrays.stream(times).min().orElseThrow()).isBetween(0L, 50L);
            assertThat(Arrays.stream(times).max().orElseThrow()).isBetween(950L, 999L);
            // Where the logit of t is within log 3 of 0: erf(log 3 / sqrt 2) of a standard normal; half of uniform times.
            assertThat(middle(times)).isCloseTo(0.7281, within(0.01));
            assertThat(middle(DiffusionTrainer.times("uniform", rng, 20_000, 1000).toLongs())).isCloseTo(0.5, within(0.01));
        }
    }

    private static double middle(long[] times) {
        return Arrays.stream(times).filter(t -> t >= 250 && t < 750).count() / (double) times.length;
    }
}
