package io.sfumato.autoregressive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;

class ReconstructionTest {
    @Test
    void knownValues() {
        try (var scope = new Scope(); var rng = new Rng(1)) {
            Tensor x = rng.rand(1, 3, 16, 16);
            assertThat(Reconstruction.ssim(x, x)).isCloseTo(1, within(1e-5));
            assertThat(Reconstruction.psnr(x, x.add(0.1))).isCloseTo(20, within(1e-4));
            // Flat pictures have no variance: only the means count.
            double c1 = 1e-4, a = 0.2, b = 0.6;
            assertThat(Reconstruction.ssim(Tensor.full(a, 1, 3, 12, 12), Tensor.full(b, 1, 3, 12, 12)))
                    .isCloseTo((2 * a * b + c1) / (a * a + b * b + c1), within(2e-3));
            assertThat(Reconstruction.ssim(x, x.neg().add(1))).isNegative();
        }
    }

    @Test
    void codesAreCounted() {
        try (var scope = new Scope()) {
            Tensor x = Tensor.zeros(1, 3, 12, 12);
            Reconstruction r = Reconstruction.of(x, x.add(1), Tensor.of(3, 3, 5, 5).view(1, 2, 2));
            assertThat(r.distinct()).isEqualTo(2);
            assertThat(r.perplexity()).isCloseTo(2, within(1e-9));
        }
    }
}
