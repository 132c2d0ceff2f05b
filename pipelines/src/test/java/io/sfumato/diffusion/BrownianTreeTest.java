package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;

class BrownianTreeTest {
    private static final double MIN = 0.0292;
    private static final double MAX = 14.6146;

    /** numpy.random.SeedSequence(7, pool_size=24).generate_state(4), and that of 2^40 + 9 with spawn_key=(5, 3). */
    @Test
    void statesAreNumPys() {
        assertThat(new SeedSequence(24, 7).state(4)).containsExactly(1376543887L, 623213690L, 436845524L, 1186459840L);
        assertThat(new SeedSequence(24, 1L << 40 | 9, 5, 3).state(4)).containsExactly(2952777791L, 3009193876L, 1579581477L, 175621690L);
    }

    @Test
    void theMotionDoesNotDependOnTheStepsThatItIsAskedFor() {
        try (var scope = new Scope()) {
            Tensor like = Tensor.zeros(1, 4, 2, 2);
            Brownian motion = Brownian.tree(3, like, MIN, MAX);
            double[] sigmas = {14.6146, 9.1, 3.3, 0.7, 0.0292};
            Tensor sum = Tensor.zeros(1, 4, 2, 2);
            for (int i = 1; i < sigmas.length; i++) {
                sum = sum.add(motion.next(sigmas[i - 1], sigmas[i]).mul(Math.sqrt(sigmas[i - 1] - sigmas[i])));
            }
            Tensor whole = motion.next(sigmas[0], sigmas[4]).mul(Math.sqrt(sigmas[0] - sigmas[4]));
            Fixture.near("sum of the parts", sum, whole, 1e-5);
        }
    }

    @Test
    void incrementsAreStandardNormal() {
        try (var scope = new Scope()) {
            Tensor noise = Brownian.tree(11, Tensor.zeros(1, 4, 64, 64), MIN, MAX).next(8.5, 2.25);
            assertThat(Math.abs(noise.mean().item())).isLessThan(0.03);
            assertThat(noise.std(false, 0, 1, 2, 3).item()).isBetween(0.97, 1.03);
        }
    }

    @Test
    void aPictureOfABatchHasTheMotionThatItHasAlone() {
        try (var scope = new Scope(); var a = new Rng(5); var b = new Rng(6)) {
            Tensor both = Noise.each(a, b).brownian(Tensor.zeros(2, 4, 2, 2), MIN, MAX).next(9, 1);
            Tensor alone = Noise.each(b).brownian(Tensor.zeros(1, 4, 2, 2), MIN, MAX).next(9, 1);
            assertThat(both.narrow(0, 1, 1).equal(alone)).isTrue();
            assertThat(Noise.shared(a).brownian(Tensor.zeros(1, 4, 2, 2), MIN, MAX).next(9, 1).equal(both.narrow(0, 0, 1))).isTrue();
        }
    }
}
