package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor as PyTorch stores it: a view, by strides, of a storage that others may view as well.
 *
 * @param strides elements between neighbours along each dimension
 * @param offset  of the first element, in elements
 */
record StoredTensor(DType dtype, long[] shape, long[] strides, long offset, Data data) {
    /** Elements that a tensor may have beyond those of its storage, by strides of 0. */
    private static final long MOST_REPEATED = 1 << 22;

    /** The bytes of a storage. */
    interface Data {
        long length();

        /** Bytes from {@code from}, at an address that is a multiple of {@code alignment}, as U8. */
        Tensor slice(long from, long count, int alignment);
    }

    /** Bytes of a mapped file, shared where they are aligned. */
    record Mapped(Tensor file, long begin, long length) implements Data {
        @Override
        public Tensor slice(long from, long count, int alignment) {
            Tensor slice = file.narrow(0, begin + from, count);
            return (begin + from) % alignment == 0 ? slice : slice.clone();
        }
    }

    /** Bytes that stood in the pickle itself. */
    record Heap(byte[] bytes) implements Data {
        @Override
        public long length() {
            return bytes.length;
        }

        @Override
        public Tensor slice(long from, long count, int alignment) {
            return Tensor.of(Arrays.copyOfRange(bytes, Math.toIntExact(from), Math.toIntExact(from + count)), count);
        }
    }

    /** @throws CheckpointException saying what is wrong with the extent, to follow the tensor's name */
    StoredTensor {
        boolean sizes = strides.length == shape.length && offset >= 0;
        double count = 1;
        double last = offset;
        for (int i = 0; sizes && i < shape.length; i++) {
            sizes = shape[i] >= 0 && strides[i] >= 0;
            count *= Math.max(1, shape[i]);
            last += (double) Math.max(0, shape[i] - 1) * strides[i];
        }
        if (!sizes || count * dtype.bytes() >= 0x1p62 || last >= 0x1p60) {
            throw new CheckpointException("has the absurd shape " + SafeTensorsHeader.shown(Arrays.toString(shape)) + " with strides "
                    + SafeTensorsHeader.shown(Arrays.toString(strides)) + " from " + offset);
        }
        boolean empty = Arrays.stream(shape).anyMatch(n -> n == 0);
        if (!empty && ((long) last + 1) * dtype.bytes() > data.length()) {
            throw new CheckpointException("reaches to byte " + ((long) last + 1) * dtype.bytes() + " of a storage of " + data.length());
        }
        if (!empty && count > Math.max(data.length(), MOST_REPEATED)) {
            throw new CheckpointException("repeats a storage of " + data.length() + " bytes to the absurd shape " + Arrays.toString(shape));
        }
    }

    /** The tensor, without gaps: shared with the storage where it has none there and is aligned, else a copy. */
    Tensor read() {
        try (var scope = new Scope()) {
            if (Arrays.stream(shape).anyMatch(n -> n == 0)) {
                return scope.keep(Tensor.zeros(dtype, shape));
            }
            long span = 1;
            for (int i = 0; i < shape.length; i++) {
                span += (shape[i] - 1) * strides[i];
            }
            Tensor flat = data.slice(offset * dtype.bytes(), span * dtype.bytes(), dtype.bytes()).viewAs(dtype);
            return scope.keep(flat.asStrided(shape, strides).contiguous());
        }
    }

    static long[] rowStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, shape[i]);
        }
        return strides;
    }

    /** Whole numbers of a pickled tuple. */
    static long[] longs(Object tuple, String what) {
        if (!(tuple instanceof List<?> list) || list.size() > 64 || !list.stream().allMatch(n -> n instanceof Long)) {
            throw new CheckpointException("has a " + what + " that is no tuple of whole numbers");
        }
        return list.stream().mapToLong(n -> (Long) n).toArray();
    }
}
