package io.sfumato;

import io.sfumato.hub.FileHints;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import java.util.Locale;

/**
 * How a model's weights are held: float32 on the CPU unless asked otherwise.
 *
 * @param hints        what the model's files leave open
 * @param eightBitText whether large text encoders (T5) hold their matrices in 8 bits, a fourth of the memory
 * @param int8         whether the Transformers in U-Nets of Stable Diffusion and models in miniature multiply in 8 bits: faster, in less
 *                     memory, and not as exact
 */
public record LoadOptions(DType dtype, Device device, FileHints hints, boolean eightBitText, boolean int8) {
    public LoadOptions {
        if (int8 && (dtype != DType.F32 || device != Device.CPU)) {
            throw new IllegalArgumentException("int8 is for the CPU, beside f32: not for " + dtype.code().toLowerCase(Locale.ROOT) + " on "
                    + device.toString().toLowerCase(Locale.ROOT));
        }
        if (dtype != DType.F32 && dtype != DType.BF16 && dtype != DType.F16) {
            throw new IllegalArgumentException("a model runs in f32, bf16 or f16, not " + dtype.code());
        }
        if (dtype == DType.F16 && device == Device.CPU) {
            throw new IllegalArgumentException("f16 is not for the CPU: use f32, or bf16 where the CPU has it");
        }
    }

    public LoadOptions(DType dtype, Device device) {
        this(dtype, device, FileHints.NONE, false, false);
    }

    public LoadOptions withHints(FileHints hints) {
        return new LoadOptions(dtype, device, hints, eightBitText, int8);
    }

    public LoadOptions withEightBitText(boolean eightBitText) {
        return new LoadOptions(dtype, device, hints, eightBitText, int8);
    }

    public LoadOptions withInt8(boolean int8) {
        return new LoadOptions(dtype, device, hints, eightBitText, int8);
    }

    public static LoadOptions defaults() {
        return new LoadOptions(DType.F32, Device.CPU);
    }
}
