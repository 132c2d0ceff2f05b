package io.sfumato.tensor;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** Element types: every one of whole bytes that a safetensors file can name, with its name there and its size in bytes. */
public enum DType {
    F64("F64", 8, ScalarType.Double),
    F32("F32", 4, ScalarType.Float),
    F16("F16", 2, ScalarType.Half),
    BF16("BF16", 2, ScalarType.BFloat16),
    F8_E4M3("F8_E4M3", 1, ScalarType.Float8_e4m3fn),
    F8_E5M2("F8_E5M2", 1, ScalarType.Float8_e5m2),
    F8_E4M3FNUZ("F8_E4M3FNUZ", 1, ScalarType.Float8_e4m3fnuz),
    F8_E5M2FNUZ("F8_E5M2FNUZ", 1, ScalarType.Float8_e5m2fnuz),
    F8_E8M0("F8_E8M0", 1, ScalarType.Float8_e8m0fnu),
    C64("C64", 8, ScalarType.ComplexFloat),
    I64("I64", 8, ScalarType.Long),
    I32("I32", 4, ScalarType.Int),
    I16("I16", 2, ScalarType.Short),
    I8("I8", 1, ScalarType.Char),
    U64("U64", 8, ScalarType.UInt64),
    U32("U32", 4, ScalarType.UInt32),
    U16("U16", 2, ScalarType.UInt16),
    U8("U8", 1, ScalarType.Byte),
    BOOL("BOOL", 1, ScalarType.Bool);

    private final String code;
    private final int bytes;
    final ScalarType scalar;

    DType(String code, int bytes, ScalarType scalar) {
        this.code = code;
        this.bytes = bytes;
        this.scalar = scalar;
    }

    /** The name in a safetensors header, such as {@code BF16}. */
    public String code() {
        return code;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether it holds real numbers with a fraction. */
    public boolean isFloating() {
        return ordinal() <= F8_E8M0.ordinal();
    }

    static DType of(ScalarType scalar) {
        for (DType type : values()) {
            if (type.scalar == scalar) {
                return type;
            }
        }
        throw new IllegalArgumentException("no DType for the engine's " + scalar);
    }
}
