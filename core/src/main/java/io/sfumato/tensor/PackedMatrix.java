package io.sfumato.tensor;

import java.util.Arrays;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * A linear layer whose products are of whole numbers of 8 bits: each row of its matrix has a scale of its own, and so has each input,
 * found when it comes (PyTorch's {@code quantized::linear_dynamic}). For running on a CPU, not for training.
 */
public final class PackedMatrix implements AutoCloseable {
    private static final double LARGEST = 127;
    private static final OperatorHandle PACK = Operators.find("quantized::linear_prepack");
    private static final OperatorHandle LINEAR = Operators.find("quantized::linear_dynamic");

    private final IValue packed;

    private PackedMatrix(IValue packed) {
        this.packed = packed;
    }

    /** Some CPUs add two products in 16 bits, which is too few for 8-bit inputs; these are kept to 7 bits then. */
    private static final class Narrow {
        private static final boolean INPUTS = inputs();

        private static boolean inputs() {
            try (var scope = new Scope(); PackedMatrix ones = of(Tensor.ones(1, 64))) {
                return Math.abs(ones.product(Tensor.ones(1, 64), false).item() - 64) > 1;
            }
        }
    }

    /** Packs {@code weight} (out, in) and {@code bias} (out), or none, both float32; they may be freed after. The caller closes it. */
    public static PackedMatrix of(Tensor weight, Tensor... bias) {
        try (var scope = new Scope()) {
            long out = weight.size(0);
            Tensor scale = weight.abs().amax(false, 1).clamp_(Float.MIN_NORMAL, Float.MAX_VALUE).mul_(1 / LARGEST).to(DType.F64);
            var zeros = torch.zeros(new long[] {out}, new TensorOptions(torch.ScalarType.Long));
            var whole = torch.quantize_per_channel(weight.raw(), scale.raw(), zeros, 0, torch.ScalarType.QInt8);
            IValue packed = Operators.call(PACK, new IValue(whole), bias.length == 0 ? new IValue() : new IValue(bias[0].raw()));
            return new PackedMatrix(packed.retainReference());
        }
    }

    /** x (in) or (B, ..., in) of float32 to (B, ..., out). Each of the B has a scale of its own, so none depends on the others. */
    public Tensor forward(Tensor x) {
        if (x.dim() == 1) {
            return forward(x.unsqueeze(0)).squeeze(0);
        }
        Tensor[] each = new Tensor[(int) x.size(0)];
        Arrays.setAll(each, i -> product(x.narrow(0, i, 1), Narrow.INPUTS));
        return each.length == 1 ? each[0] : Tensor.cat(0, each);
    }

    private Tensor product(Tensor x, boolean narrow) {
        return Operators.tensor(Operators.call(LINEAR, new IValue(x.raw()), packed, new IValue(narrow)));
    }

    @Override
    public void close() {
        packed.releaseReference();
    }
}
