package io.sfumato.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import org.junit.jupiter.api.Test;

class OperatorWorkerTest {
    /** Shapes, and means of |output| as PyTorch 2.15 has them ({@code operators.py}'s own side, of the same seed). */
    @Test
    void isTheOperatorThatPyTorchRuns() {
        check("conv", new long[] {2, 8, 6, 64, 3, 2}, 1.28177, 2, 64, 3, 3);
        check("linear", new long[] {40, 32, 64}, 1.10003, 40, 64);
        check("linear", new long[] {2, 32, 64}, 1.10928, 2, 64);
        check("attention", new long[] {2, 4, 9, 7, 8}, 0.400266, 2, 9, 32);
        check("groupnorm", new long[] {2, 64, 5}, 0.535233, 2, 64, 5, 5);
        check("layernorm", new long[] {6, 32}, 0.870328, 6, 32);
        check("geglu", new long[] {6, 32}, 0.309954, 6, 32);
    }

    private static void check(String kind, long[] sizes, double mean, long... shape) {
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            try (var noGrad = new NoGrad(); var scope = new Scope()) {
                Tensor out = OperatorWorker.operator(kind, type, sizes).get();
                assertThat(out.shape()).as(kind).isEqualTo(shape);
                assertThat(out.dtype()).as(kind).isEqualTo(type);
                assertThat(out.to(DType.F32).abs().mean().item()).as(kind + " " + type).isCloseTo(mean,
                        withPercentage(type == DType.F32 ? 0.01 : 1));
            }
        }
    }

    @Test
    void namesTheOperatorsThereAre() {
        assertThatThrownBy(() -> OperatorWorker.operator("fold", DType.F32)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("there is no operator 'fold': conv, linear, attention, groupnorm, layernorm or geglu");
    }
}
