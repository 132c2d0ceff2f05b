package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Map;
import java.util.Set;

/** Tensors of another source, all or some, under other names; equal parts of one may have names of their own. Owns the source. */
public final class RenamedTensors implements TensorSource {
    /**
     * Part {@code index} of the {@code count} equal ones that the first dimension of {@code name} is cut into.
     *
     * @param transposed whether it is a matrix to be turned
     */
    public record Part(String name, int index, int count, boolean transposed) {
        public Part(String name, int index, int count) {
            this(name, index, count, false);
        }

        /** The whole tensor. */
        public Part(String name) {
            this(name, 0, 1);
        }

        /** The whole matrix, rows for columns. */
        public static Part transposed(String name) {
            return new Part(name, 0, 1, true);
        }
    }

    private final TensorSource source;
    private final Map<String, Part> parts;

    /** @param parts by new name */
    public RenamedTensors(TensorSource source, Map<String, Part> parts) {
        this.source = source;
        this.parts = Map.copyOf(parts);
    }

    @Override
    public String description() {
        return source.description();
    }

    @Override
    public Set<String> names() {
        return parts.keySet();
    }

    @Override
    public long[] shape(String name) {
        Part part = find(name);
        long[] shape = source.shape(part.name);
        if (part.count > 1) {
            if (shape.length == 0 || shape[0] % part.count != 0) {
                throw new CheckpointException(description() + ": tensor '" + part.name + "' has no first dimension that could be cut into "
                        + part.count);
            }
            shape[0] /= part.count;
        }
        return part.transposed && shape.length == 2 ? new long[] {shape[1], shape[0]} : shape;
    }

    @Override
    public DType dtype(String name) {
        return source.dtype(find(name).name);
    }

    @Override
    public Tensor get(String name) {
        Part part = find(name);
        if (part.transposed) {
            try (var scope = new Scope()) {
                return scope.keep(source.get(part.name).transpose(0, 1).contiguous());
            }
        }
        if (part.count == 1) {
            return source.get(part.name);
        }
        long rows = shape(name)[0];
        try (var scope = new Scope()) {
            return scope.keep(source.get(part.name).narrow(0, part.index * rows, rows));
        }
    }

    @Override
    public Tensor mapped(String name) {
        Part part = find(name);
        return part.count == 1 && !part.transposed ? source.mapped(part.name) : get(name);
    }

    private Part find(String name) {
        Part part = parts.get(name);
        if (part == null) {
            throw new CheckpointException(description() + ": there is no tensor '" + name + "'");
        }
        return part;
    }

    @Override
    public void close() {
        source.close();
    }
}
