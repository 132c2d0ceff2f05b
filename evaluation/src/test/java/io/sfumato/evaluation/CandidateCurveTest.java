package io.sfumato.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.evaluation.CandidateCurve.Drawn;
import io.sfumato.evaluation.CandidateCurve.Point;
import io.sfumato.image.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CandidateCurveTest {
    @TempDir
    Path temp;

    @Test
    void theBestOfAllWaysToHaveSoManyIsAveraged() throws IOException {
        // Of three, the best of two is 3 in two of the three pairs, and 2 in the other.
        List<Drawn> three = List.of(new Drawn(3, false), new Drawn(2, true), new Drawn(1, true));
        CandidateCurve one = CandidateCurve.of(List.of(three));
        assertThat(one.points()).extracting(Point::candidates).containsExactly(1, 2, 3);
        assertThat(one.points().get(0).score()).isCloseTo(2, within(1e-12));
        assertThat(one.points().get(1).score()).isCloseTo(8 / 3.0, within(1e-12));
        assertThat(one.points().get(2).score()).isCloseTo(3, within(1e-12));
        assertThat(one.points().get(0).right()).isCloseTo(2 / 3.0, within(1e-12));
        assertThat(one.points().get(1).right()).isCloseTo(1 / 3.0, within(1e-12));
        assertThat(one.points().get(2).right()).isZero();
        List<Drawn> other = List.of(new Drawn(5, true), new Drawn(5, true), new Drawn(5, true));
        CandidateCurve both = CandidateCurve.of(List.of(three, other));
        assertThat(both.points().get(2).score()).isCloseTo(4, within(1e-12));
        assertThat(both.points().get(2).right()).isCloseTo(0.5, within(1e-12));
        both.write(temp);
        assertThat(Files.readAllLines(temp.resolve("candidates.csv"))).hasSize(4).contains("candidates,score,right", "3,4.00000,0.5000");
        assertThat(Image.read(temp.resolve("score.png")).width()).isEqualTo(800);
        assertThat(both.json()).startsWith("{\"points\":[{\"candidates\":1,");
    }

    @Test
    void pointsAreTwiceAsFarUpToAll() {
        List<Drawn> six = List.of(1, 1, 1, 1, 1, 1).stream().map(i -> new Drawn(i, true)).toList();
        List<Point> points = CandidateCurve.of(List.of(six)).points();
        assertThat(points).extracting(Point::candidates).containsExactly(1, 2, 4, 6);
        assertThat(points).allMatch(p -> Math.abs(p.score() - 1) < 1e-12 && Math.abs(p.right() - 1) < 1e-12);
    }
}
