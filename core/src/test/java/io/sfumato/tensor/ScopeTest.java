package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScopeTest {
    @Test
    void freesAllButWhatIsKept() {
        try (var outer = new Scope()) {
            Tensor freed;
            Tensor kept;
            try (var scope = new Scope()) {
                freed = Tensor.ones(2);
                kept = scope.keep(freed.add(1));
            }
            assertThat(kept.toFloats()).containsExactly(2, 2);
            assertThatThrownBy(freed::numel).isInstanceOf(NullPointerException.class);
        }
    }

    @Test
    void passesKeptTensorsOutwardsThroughEveryLevel() {
        Tensor escaped;
        Tensor middle;
        try (var a = new Scope()) {
            try (var b = new Scope()) {
                try (var c = new Scope()) {
                    Tensor[] xs = c.keep(Tensor.ones(1), Tensor.zeros(1));
                    escaped = xs[0];
                    middle = xs[1];
                }
                b.keep(escaped);
            }
            assertThatThrownBy(middle::numel).isInstanceOf(NullPointerException.class);
            a.keep(escaped);
        }
        assertThat(escaped.item()).isEqualTo(1);
        escaped.close();
        assertThatThrownBy(escaped::numel).isInstanceOf(NullPointerException.class);
    }

    @Test
    void leavesAloneWhatItsCallerOwns() {
        Tensor mine = Tensor.ones(3);
        Tensor retained;
        try (var scope = new Scope()) {
            retained = Tensor.ones(2).retain();
            try (var identity = new Scope()) {
                identity.keep(mine);
                identity.keep(retained);
            }
        }
        assertThat(mine.toFloats()).containsExactly(1, 1, 1);
        assertThat(retained.toFloats()).containsExactly(1, 1);
        mine.close();
        retained.close();
        assertThatThrownBy(mine::numel).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(retained::numel).isInstanceOf(NullPointerException.class);
    }

    @Test
    void aChainHoldsOneLinkAtATime() {
        long before = Scope.live();
        try (var scope = new Scope()) {
            Tensor x = Tensor.ones(1);
            List<Tensor> links = new ArrayList<>();
            Tensor last = Scope.chain(x, List.of(2, 3, 4), (factor, y) -> {
                links.add(y.mul(factor));
                return links.get(links.size() - 1);
            });
            assertThat(last.item()).isEqualTo(24);
            assertThat(x.item()).isEqualTo(1);
            assertThatThrownBy(links.get(0)::numel).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(links.get(1)::numel).isInstanceOf(NullPointerException.class);
            assertThat(Scope.chain(x, List.<Integer>of(), (factor, y) -> y).item()).isEqualTo(1);
            assertThatThrownBy(() -> Scope.chain(x, List.of(1, 0), (factor, y) -> y.view(factor))).isInstanceOf(RuntimeException.class);
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(before);
        Tensor mine = Tensor.ones(1);
        Tensor doubled = Scope.chain(mine, List.of(2), (factor, y) -> y.mul(factor));
        assertThat(doubled.item()).isEqualTo(2);
        doubled.close();
        mine.close();
        assertThatThrownBy(doubled::numel).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(mine::numel).isInstanceOf(NullPointerException.class);
    }

    @Test
    void staysFlatOverAThousandForwardsAndBackwards() {
        try (var outer = new Scope(); var rng = new Rng(1)) {
            Tensor x = rng.randn(4, 8);
            Tensor w = rng.randn(8, 8).requiresGrad_(true);
            Tensor b = Tensor.zeros(8).requiresGrad_(true);
            step(x, w, b);
            long before = Scope.live();
            for (int i = 0; i < 1000; i++) {
                step(x, w, b);
                try (var noGrad = new NoGrad(); var scope = new Scope()) {
                    block(x, w, b);
                }
            }
            assertThat(Scope.live()).isLessThanOrEqualTo(before);    // less, when garbage of other tests goes
        }
    }

    private static void step(Tensor x, Tensor w, Tensor b) {
        try (var scope = new Scope()) {
            block(x, w, b).square().mean().backward();
            try (var noGrad = new NoGrad()) {
                w.add_(w.grad(), -0.01);
                w.grad().zero_();
            }
        }
    }

    private static Tensor block(Tensor x, Tensor w, Tensor b) {
        try (var scope = new Scope()) {
            Tensor[] halves = Functional.linear(x, w, b).silu().chunk(2, -1);
            return scope.keep(Functional.layerNorm(Tensor.cat(-1, halves[1], halves[0].clamp(-1, 1)), b.add(1), b, 1e-5));
        }
    }

    @Test
    void backwardNeedsNoHandleOfTheForwardPass() {
        try (var outer = new Scope()) {
            Tensor w = Tensor.of(new float[] {2, 3}, 2).requiresGrad_(true);
            Tensor loss;
            try (var scope = new Scope()) {
                loss = scope.keep(w.square().mul(w).sum());
            }
            loss.backward();
            assertThat(w.grad().toFloats()).containsExactly(12, 27);
        }
    }

    @Test
    void theGarbageCollectorFreesWhatIsForgotten() throws InterruptedException {
        Engine.load();
        long before = Scope.live();
        for (int i = 0; i < 200; i++) {
            Tensor.ones(1000).add(1);
        }
        for (int i = 0; i < 100 && Scope.live() > before + 10; i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertThat(Scope.live()).isLessThanOrEqualTo(before + 10);
    }

    @Test
    void belongsToItsThread() throws InterruptedException {
        Tensor[] made = new Tensor[1];
        try (var scope = new Scope()) {
            Thread other = new Thread(() -> made[0] = Tensor.ones(2));
            other.start();
            other.join();
        }
        assertThat(made[0].toFloats()).containsExactly(1, 1);
        made[0].close();
    }
}
