package io.sfumato.io;

import io.sfumato.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** NumPy's scalars and arrays in a pickle: {@code scalar(dtype, bytes)}, {@code _reconstruct} with its state, {@code _frombuffer}. */
final class NumpyPickle {
    private static final Map<String, DType> TYPES = Map.ofEntries(
            Map.entry("f8", DType.F64), Map.entry("f4", DType.F32), Map.entry("f2", DType.F16), Map.entry("c8", DType.C64),
            Map.entry("i8", DType.I64), Map.entry("i4", DType.I32), Map.entry("i2", DType.I16), Map.entry("i1", DType.I8),
            Map.entry("u8", DType.U64), Map.entry("u4", DType.U32), Map.entry("u2", DType.U16), Map.entry("u1", DType.U8),
            Map.entry("b1", DType.BOOL));
    private static final Set<String> ARRAYS = Set.of("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
            "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer");

    private NumpyPickle() {
    }

    static boolean isArray(PickledObject object) {
        return ARRAYS.contains(object.type().module() + "." + object.type().name());
    }

    /** A scalar as a Long, Double or Boolean; itself where it is of another type. */
    static Object scalar(PickledObject scalar) {
        List<Object> arguments = scalar.arguments();
        if (arguments.size() != 2 || !(arguments.get(0) instanceof PickledObject type) || !isNative(type)) {
            return scalar;
        }
        ByteBuffer bytes = ByteBuffer.wrap(bytes(arguments.get(1))).order(ByteOrder.LITTLE_ENDIAN);
        String code = code(type);
        if (!TYPES.containsKey(code) || bytes.remaining() != TYPES.get(code).bytes()) {
            return scalar;
        }
        return switch (TYPES.get(code)) {
            case F64 -> bytes.getDouble();
            case F32 -> (double) bytes.getFloat();
            case I64 -> bytes.getLong();
            case I32 -> (long) bytes.getInt();
            case I16 -> (long) bytes.getShort();
            case I8 -> (long) bytes.get();
            case U32 -> bytes.getInt() & 0xffffffffL;
            case U16 -> bytes.getShort() & 0xffffL;
            case U8 -> bytes.get() & 0xffL;
            case BOOL -> bytes.get() != 0;
            default -> scalar;
        };
    }

    /**
     * The tensor that an array is.
     *
     * @throws UnreadableTensor saying what about it is not read
     */
    static StoredTensor array(PickledObject array) {
        boolean fromBuffer = array.type().name().equals("_frombuffer");                 // (bytes, dtype, shape, order)
        List<?> parts = fromBuffer ? array.arguments() : array.state() instanceof List<?> state ? state : List.of();
        if (parts.size() < (fromBuffer ? 4 : 5)) {
            throw new UnreadableTensor("is a NumPy array without its state");
        }
        // The state is (version, shape, dtype, columns first, bytes).
        Object type = parts.get(fromBuffer ? 1 : 2);
        boolean columnsFirst = fromBuffer ? "F".equals(parts.get(3)) : Boolean.TRUE.equals(parts.get(3));
        if (!(type instanceof PickledObject t) || !TYPES.containsKey(code(t))) {
            throw new UnreadableTensor("is a NumPy array of dtype " + (type instanceof PickledObject t ? code(t) : "?")
                    + "; read are " + TYPES.keySet().stream().sorted().toList());
        }
        if (!isNative(t)) {
            throw new UnreadableTensor("is a NumPy array of big-endian numbers; little-endian ones are read");
        }
        DType dtype = TYPES.get(code(t));
        long[] shape = StoredTensor.longs(fromBuffer ? parts.get(2) : parts.get(1), "shape");
        StoredTensor.Heap data = new StoredTensor.Heap(bytes(parts.get(fromBuffer ? 0 : 4)));
        return new StoredTensor(dtype, shape, columnsFirst ? columnStrides(shape) : StoredTensor.rowStrides(shape), 0, data);
    }

    private static long[] columnStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = 0; i < shape.length; i++) {
            strides[i] = stride;
            stride *= Math.max(1, shape[i]);
        }
        return strides;
    }

    /** {@code f4} of {@code dtype('f4', False, True)}. */
    private static String code(PickledObject type) {
        List<Object> arguments = type.arguments();
        return type.type().name().equals("dtype") && !arguments.isEmpty() && arguments.get(0) instanceof String code ? code : "?";
    }

    /** The state of a dtype is (version, byte order, ...); one without is the machine's. */
    private static boolean isNative(PickledObject type) {
        return !(type.state() instanceof List<?> state && state.size() > 1 && ">".equals(state.get(1)));
    }

    private static byte[] bytes(Object data) {
        return data instanceof byte[] bytes ? bytes
                : data instanceof String text ? text.getBytes(StandardCharsets.ISO_8859_1) : new byte[0];
    }
}
