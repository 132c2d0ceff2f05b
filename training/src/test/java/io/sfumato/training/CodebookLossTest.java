package io.sfumato.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.io.Weights;
import io.sfumato.models.tokenizer.DVae;
import io.sfumato.models.tokenizer.PatchDiscriminator;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.Rng;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What trains tokenizers of pictures, against values by hand. */
class CodebookLossTest {
    private final Scope scope = new Scope();

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void theGradientGoesStraightThroughTheRounding() {
        Tensor z = Tensor.of(new float[] {0.2f, 0.9f}, 2).requiresGrad_(true), q = z.detach().round();
        Tensor y = CodebookLoss.straightThrough(z, q);
        assertThat(y.toFloats()).containsExactly(0, 1);
        y.mul(Tensor.of(new float[] {3, 5}, 2)).sum().backward();
        assertThat(z.grad().toFloats()).containsExactly(3, 5);
    }

    @Test
    void entriesAndLatentsMeetBetaAsFast() {
        Tensor z = Tensor.of(new float[] {1}, 1).requiresGrad_(true), q = Tensor.of(new float[] {3}, 1).requiresGrad_(true);
        Tensor loss = CodebookLoss.codebook(z, q, 0.25);
        assertThat(loss.item()).isCloseTo(5, within(1e-6));
        loss.backward();
        assertThat(q.grad().item()).isCloseTo(4, within(1e-6));
        assertThat(z.grad().item()).isCloseTo(-1, within(1e-6));
    }

    @Test
    void adversaries() {
        Tensor real = Tensor.of(new float[] {2, 0}, 2), drawn = Tensor.of(new float[] {-3, 1}, 2);
        assertThat(CodebookLoss.hinge(real, drawn).item()).isCloseTo(0.5 * (0.5 + 1), within(1e-6));
        double real1 = Math.log1p(Math.exp(-2)), drawn1 = Math.log1p(Math.exp(-3)), drawn2 = Math.log1p(Math.exp(1));
        assertThat(CodebookLoss.nonSaturating(real, drawn).item())
                .isCloseTo(0.5 * ((real1 + Math.log(2)) / 2 + (drawn1 + drawn2) / 2), within(1e-6));
        assertThat(CodebookLoss.adaptiveWeight(Tensor.full(2, 4), Tensor.full(1, 4))).isCloseTo(2, within(1e-3));
        assertThat(CodebookLoss.adaptiveWeight(Tensor.full(9, 4), Tensor.zeros(4))).isEqualTo(1e4);
        try (var rng = new Rng(1); Weights fresh = Weights.init(rng, Device.CPU)) {
            PatchDiscriminator d = new PatchDiscriminator(fresh, 4, 2);
            Tensor logits = d.forward(rng.rand(2, 3, 16, 16));
            assertThat(logits.shape()).containsExactly(2, 1, 4, 4);
            logits.sum().backward();
            assertThat(fresh.parameters().values()).allMatch(Tensor::hasGrad);
        }
    }

    @Test
    void coldGumbelSoftmaxIsAlmostOneHot() {
        try (var rng = new Rng(1)) {
            Tensor logits = rng.randn(2, 6, 3, 3), noise = rng.rand(2, 6, 3, 3);
            Tensor warm = CodebookLoss.gumbelSoftmax(logits, noise, 1), cold = CodebookLoss.gumbelSoftmax(logits, noise, 1e-3);
            assertThat(warm.sum(false, 1).sub(1).abs().amax(false).item()).isLessThan(1e-5);
            assertThat(cold.amax(false, 1).amin(false).item()).isGreaterThan(0.9);
            assertThat(cold.argmax(1).equal(warm.argmax(1))).isTrue();
        }
    }

    @Test
    void divergenceAndDensity() {
        assertThat(CodebookLoss.divergenceFromUniform(Tensor.zeros(1, 8, 2, 2)).item()).isCloseTo(0, within(1e-5));
        Tensor sure = Tensor.of(new float[] {50, 0, 0, 0}, 1, 4, 1, 1);
        assertThat(CodebookLoss.divergenceFromUniform(sure).item()).isCloseTo(Math.log(4), within(1e-4));
        // x = 1/2: logit 0, jacobian x (1 - x) = 1/4; mean 0, scale 1: density 1 / (2 * 1/4) = 2.
        Tensor stats = Tensor.zeros(1, 6, 1, 1), half = Tensor.full(0.5, 1, 3, 1, 1);
        assertThat(CodebookLoss.logitLaplace(stats, half).item()).isCloseTo(-Math.log(2), within(1e-6));
    }

    @Test
    void aDiscreteVaeLearns() {
        try (var rng = new Rng(3); Weights fresh = Weights.init(rng, Device.CPU)) {
            DVae dvae = new DVae(fresh.sub("encoder"), fresh.sub("decoder"), new DVae.Config(8, 8, 2, 1, 12));
            Tensor x = Tensor.full(0.9, 4, 3, 8, 8);
            double first = 0, last = 0;
            try (AdamW optimizer = new AdamW(fresh.parameters(), 0, 1)) {
                for (int step = 1; step <= 15; step++) {
                    try (var inner = new Scope()) {
                        Tensor logits = dvae.logits(x);
                        Tensor relaxed = CodebookLoss.gumbelSoftmax(logits, rng.rand(logits.shape()), 1);
                        Tensor loss = CodebookLoss.logitLaplace(dvae.relaxed(relaxed), DVae.map(x))
                                .add(CodebookLoss.divergenceFromUniform(logits).mul(1e-4));
                        loss.backward();
                        optimizer.step(step, 3e-3);
                        first = step == 1 ? loss.item() : first;
                        last = loss.item();
                    }
                }
            }
            assertThat(last).isLessThan(first - 0.02);
        }
    }

    @Test
    void frozenFeaturesTellPicturesApart() {
        try (FrozenFeatures features = new FrozenFeatures(); var rng = new Rng(1)) {
            Tensor x = rng.rand(2, 3, 16, 16);
            assertThat(features.distance(x, x).item()).isZero();
            double near = features.distance(x, x.add(rng.randn(2, 3, 16, 16).mul(0.02))).item();
            assertThat(features.distance(x, rng.rand(2, 3, 16, 16)).item()).isGreaterThan(near);
        }
    }

    @Test
    void lpipsTrainsWhereTheUserHasIt() {
        try (PictureDistance lpips = PictureDistance.of("../models/src/test/resources/golden/lpips"); var rng = new Rng(1);
                var scope = new Scope()) {
            Tensor x = rng.rand(2, 3, 16, 16), y = rng.rand(2, 3, 16, 16).requiresGrad_(true);
            Tensor distance = lpips.distance(y, x);
            distance.backward();
            assertThat(distance.item()).isPositive();
            assertThat(y.grad().abs().amax(false).item()).isPositive();
            assertThatIllegalArgumentException().isThrownBy(() -> lpips.distance(rng.rand(1, 3, 8, 16), rng.rand(1, 3, 8, 16)))
                    .withMessage("pictures of 16x8: LPIPS wants 16 pixels a side or more");
        }
    }

    @Test
    void entriesFollowTheirLatentsAndUnusedOnesBeginAnew() {
        Tensor entries = Tensor.of(new float[] {0, 0, 9, 9, 5, 5}, 3, 2);
        try (CodebookUse use = new CodebookUse(entries, 0.5); var rng = new Rng(1)) {
            Tensor latents = Tensor.of(new float[] {1, 1, 1, 1}, 2, 2), codes = Tensor.of(0, 0);
            assertThat(use.count(codes)).isEqualTo(1);
            use.follow(latents, codes);
            // Size 0.5 * 1 + 0.5 * 2, sum 0.5 * 0 + 0.5 * 2.
            assertThat(entries.select(0, 0).toFloats()).containsExactly(2 / 3f, 2 / 3f);
            assertThat(entries.select(0, 1).toFloats()).containsExactly(9, 9);
            assertThat(use.restart(latents, 2, rng)).isZero();
            use.count(codes);
            assertThat(use.restart(latents, 2, rng)).isEqualTo(2);
            assertThat(entries.select(0, 2).toFloats()).containsExactly(1, 1);
        }
    }
}
