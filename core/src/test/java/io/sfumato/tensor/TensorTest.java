package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TensorTest {
    private final Scope scope = new Scope();

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void refusesValuesThatDoNotFillTheShape() {
        assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(new float[5], 2, 3)).withMessage("5 values cannot fill shape [2, 3]");
        assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(new long[6], 7)).withMessage("6 values cannot fill shape [7]");
        assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(new double[1], 1L << 32, 1L << 32))
                .withMessage("1 values cannot fill shape [4294967296, 4294967296]");
        assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(DType.F32, new byte[5], 1))
                .withMessage("5 bytes are no whole number of F32 elements");
        assertThatIllegalArgumentException().isThrownBy(() -> Tensor.zeros(2, -1)).withMessage("negative size in shape [2, -1]");
    }

    @Test
    void wrongShapesThrow() {
        assertThatThrownBy(() -> Tensor.ones(2, 3).add(Tensor.ones(4)))
                .isInstanceOf(RuntimeException.class).hasMessageStartingWith("The size of tensor a (3) must match the size of tensor b (4)");
    }

    @Test
    void givesElementsInRowMajorOrderWhateverTheLayout() {
        Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        assertThat(x.transpose(0, 1).toFloats()).containsExactly(1, 4, 2, 5, 3, 6);
        assertThat(x.narrow(1, 1, 2).toFloats()).containsExactly(2, 3, 5, 6);
        assertThat(x.narrow(0, 1, 1).asStrided(new long[] {2, 2}, new long[] {0, 2}).toFloats()).containsExactly(4, 6, 4, 6);
        assertThat(x.select(1, 2).expand(2, 2).toLongs()).containsExactly(3, 6, 3, 6);
        assertThat(x.view(1, 2, 1, 3).channelsLast().toDoubles()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(x.transpose(0, 1).to(DType.U8).toBytes()).containsExactly(1, 4, 2, 5, 3, 6);
        assertThat(x.requiresGrad_(true).mul(2).toFloats()).containsExactly(2, 4, 6, 8, 10, 12);
    }

    @Test
    void convertsEveryRealTypeToJava() {
        for (DType type : DType.values()) {
            if (type != DType.BOOL && type != DType.C64) {
                assertThat(Tensor.of(new float[] {1, 2, 4}, 3).to(type).toFloats()).as(type.code()).containsExactly(1, 2, 4);
            }
        }
        assertThat(Tensor.of(new float[] {0, 2}, 2).to(DType.BOOL).toLongs()).containsExactly(0, 1);
        assertThat(Tensor.full(3.14159, 1).to(DType.BF16).toFloats()).containsExactly(3.140625f);
        assertThat(Tensor.of(new double[] {1e300}, 1).toDoubles()).containsExactly(1e300);
        assertThat(Tensor.of(new float[] {7}).item()).isEqualTo(7);
    }

    @Test
    void emptyTensorsGoThereAndBack() {
        assertThat(Tensor.of(new float[0], 0, 3).toFloats()).isEmpty();
        assertThat(Tensor.of(new double[0], 2, 0).toDoubles()).isEmpty();
        assertThat(Tensor.of(new long[0], 0).toLongs()).isEmpty();
        assertThat(Tensor.of(DType.BF16, new byte[0], 0).toBytes()).isEmpty();
        assertThat(Tensor.of().shape()).containsExactly(0);
    }

    @Test
    void bytesGoThereAndBack() {
        for (DType type : DType.values()) {
            byte[] bytes = new byte[4 * type.bytes()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (i % 2);
            }
            Tensor x = Tensor.of(type, bytes, 2, 2);
            assertThat(x.dtype()).isEqualTo(type);
            assertThat(x.nbytes()).isEqualTo(bytes.length);
            assertThat(x.toBytes()).as(type.code()).isEqualTo(bytes);
        }
    }

    @Test
    void piecesSurviveTheVectorTheyCameIn() {
        Tensor x = Tensor.arange(6).to(DType.F32);
        Tensor[] chunks = x.chunk(3, 0);
        Tensor[] splits = x.split(4, 0);
        for (int i = 0; i < 50; i++) {
            x.chunk(6, 0);
        }
        assertThat(chunks).hasSize(3);
        assertThat(chunks[2].toFloats()).containsExactly(4, 5);
        assertThat(splits[0].toFloats()).containsExactly(0, 1, 2, 3);
        assertThat(splits[1].toFloats()).containsExactly(4, 5);
    }

    @Test
    void underscoredNamesChangeTheReceiver() {
        Tensor x = Tensor.of(new float[] {1, 2}, 2);
        Tensor y = Tensor.of(new float[] {3, 5}, 2);
        assertThat(x.add_(y)).isSameAs(x);
        assertThat(x.toFloats()).containsExactly(4, 7);
        assertThat(x.mul_(2).add_(1).toFloats()).containsExactly(9, 15);
        assertThat(x.add_(y, -2).mul_(y).toFloats()).containsExactly(9, 25);
        assertThat(x.lerp_(y, 0.5).toFloats()).containsExactly(6, 15);
        assertThat(x.addcmul_(y, y, 1).toFloats()).containsExactly(15, 40);
        assertThat(x.addcdiv_(y, y, 5).clamp_(0, 30).toFloats()).containsExactly(20, 30);
        assertThat(x.copy_(y).toFloats()).containsExactly(3, 5);
        assertThat(x.zero_().toFloats()).containsExactly(0, 0);
        assertThat(y.toFloats()).containsExactly(3, 5);
    }

    @Test
    void gradientsAreThereOrSaidToBeMissing() {
        Tensor x = Tensor.ones(2).requiresGrad_(true);
        assertThat(x.hasGrad()).isFalse();
        assertThatThrownBy(x::grad).isInstanceOf(IllegalStateException.class).hasMessageStartingWith("Tensor[2] F32 has no gradient");
        try (var noGrad = new NoGrad()) {
            assertThat(x.mul(2).requiresGrad()).isFalse();
        }
        assertThat(x.mul(2).requiresGrad()).isTrue();
        assertThat(x.detach().mul(2).requiresGrad()).isFalse();
        x.mul(3).sum().backward();
        x.mul(3).sum().backward();
        assertThat(x.grad().toFloats()).containsExactly(6, 6);
    }

    @Test
    void equalMeansShapeTypeAndElements() {
        Tensor x = Tensor.of(1, 2);
        assertThat(x.equal(Tensor.of(1, 2))).isTrue();
        assertThat(x.equal(Tensor.of(1, 3))).isFalse();
        assertThat(x.equal(Tensor.of(1, 2).view(2, 1))).isFalse();
        assertThat(x.equal(x.to(DType.I32))).isFalse();
        assertThat(Tensor.of(new float[] {1, Float.NaN}, 2).isFinite()).isFalse();
        assertThat(x.to(DType.F32).isFinite()).isTrue();
    }

    @Test
    void sortsAndSums() {
        Tensor x = Tensor.of(new float[] {2, 9, 4, 7, 1, 8}, 2, 3);
        Tensor[] falling = x.sort(1, true);
        assertThat(falling[0].toFloats()).containsExactly(9, 4, 2, 8, 7, 1);
        assertThat(falling[1].toLongs()).containsExactly(1, 2, 0, 2, 0, 1);
        assertThat(x.cumsum(1).toFloats()).containsExactly(2, 11, 15, 7, 8, 16);
        assertThat(Tensor.zeros(2, 3).indexAdd_(0, Tensor.of(1, 1), x).toFloats()).containsExactly(0, 0, 0, 9, 10, 12);
    }
}
