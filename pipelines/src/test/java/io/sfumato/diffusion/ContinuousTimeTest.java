package io.sfumato.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.LiveObjects;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ContinuousTimeTest {
    @Test
    void areTheSchedulesOfThePapers() {
        for (double t : new double[] {0.1, 0.25, 0.5, 0.9}) {
            assertThat(ContinuousTime.COSINE.level(t).alpha()).isCloseTo(Math.cos(Math.PI * t / 2), within(1e-4));
        }
        // The products of 1000 steps from 1e-4 to 2e-2, nearly.
        double product = 1;
        for (int i = 0; i < 500; i++) {
            product *= 1 - (1e-4 + (2e-2 - 1e-4) * i / 999);
        }
        assertThat(Math.pow(ContinuousTime.LINEAR.level(0.5).alpha(), 2)).isCloseTo(product, within(0.01));
        assertThat(ContinuousTime.named("linear")).isEqualTo(ContinuousTime.LINEAR);
    }

    @ParameterizedTest
    @EnumSource(ContinuousTime.class)
    void fallFromPictureToNoise(ContinuousTime time) {
        double last = Double.POSITIVE_INFINITY;
        for (int i = 0; i <= 20; i++) {
            NoiseLevel at = time.level(i / 20.0);
            assertThat(at.alpha() * at.alpha() + at.sigma() * at.sigma()).isCloseTo(1, within(1e-12));
            assertThat(time.logSnr(i / 20.0)).isLessThan(last);
            last = time.logSnr(i / 20.0);
        }
        assertThat(time.level(0).sigma()).isLessThan(0.02);
        assertThat(time.level(1).alpha()).isLessThan(0.01);
        assertThat(time.level(time.timeOf(0.06)).alpha()).isCloseTo(0.06, within(1e-9));
    }

    /** For data N(0, 0.5^2) the exact denoiser is known, and the samples must spread as the data does. */
    @ParameterizedTest
    @EnumSource(ContinuousTime.class)
    void knownAnswer(ContinuousTime time) {
        double variance = 0.25;
        try (var scope = new Scope(); var rng = new Rng(5)) {
            Network exact = (x, t) -> {
                NoiseLevel at = time.level(t);
                return x.mul(at.alpha() * variance / (at.alpha() * at.alpha() * variance + at.sigma() * at.sigma()));
            };
            Denoiser denoiser = new Denoiser(exact, Prediction.SAMPLE, Clipping.none(), 1);
            for (double from : new double[] {1, time.timeOf(0.06)}) {
                Tensor x = time.sample(denoiser, rng.randn(8, 4000), from, 400, 0.3, Noise.shared(rng), Step.Listener.none());
                assertThat(x.square().mean().item()).isCloseTo(variance, within(0.03));
                assertThat(x.mean().item()).isCloseTo(0, within(0.01));
            }
            long before = LiveObjects.settled();
            try (var inner = new Scope()) {
                time.sample(denoiser, rng.randn(2, 3), 1, 5, 0, Noise.shared(rng), Step.Listener.none());
            }
            assertThat(Scope.live()).isEqualTo(before);
        }
    }
}
