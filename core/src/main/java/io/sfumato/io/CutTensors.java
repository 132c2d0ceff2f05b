package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.util.Set;
import java.util.function.Function;

/**
 * What one of several processes holds of another source, the matrices of which they share (Shoeybi et al. 2019, 3). A share is cut out of
 * the file before anything is read or converted. Owns the source.
 */
public final class CutTensors implements TensorSource {
    /** How a tensor is shared. */
    public enum Cut {
        /** Each process has all of it. */
        WHOLE,
        /** Its first dimension is dealt out in order: the outputs of a linear layer. */
        ROWS,
        /** Its second dimension is: the inputs of a linear layer, so that the processes' answers have to be added. */
        COLUMNS,
        /** The first process has it, the others zeros: what is to be added once. */
        FIRST
    }

    private final TensorSource source;
    private final Function<String, Cut> cuts;
    private final int index;
    private final int count;

    /**
     * @param cuts  by name
     * @param index which of the shares, from 0 on
     * @param count how many there are
     */
    public CutTensors(TensorSource source, Function<String, Cut> cuts, int index, int count) {
        this.source = source;
        this.cuts = cuts;
        this.index = index;
        this.count = count;
    }

    @Override
    public String description() {
        return source.description();
    }

    @Override
    public Set<String> names() {
        return source.names();
    }

    @Override
    public long[] shape(String name) {
        long[] shape = source.shape(name).clone();
        Cut cut = cuts.apply(name);
        if (cut == Cut.ROWS || cut == Cut.COLUMNS) {
            int dim = cut == Cut.ROWS ? 0 : 1;
            if (shape.length <= dim || shape[dim] % count != 0) {
                throw new CheckpointException(description() + ": tensor '" + name + "' has no " + (dim == 0 ? "rows" : "columns")
                        + " that could be dealt out to " + count);
            }
            shape[dim] /= count;
        }
        return shape;
    }

    @Override
    public DType dtype(String name) {
        return source.dtype(name);
    }

    @Override
    public Tensor get(String name) {
        long[] shape = shape(name);
        try (var scope = new Scope()) {
            return scope.keep(switch (cuts.apply(name)) {
                case WHOLE -> source.get(name);
                case ROWS -> source.get(name).narrow(0, index * shape[0], shape[0]);
                case COLUMNS -> source.get(name).narrow(1, index * shape[1], shape[1]).contiguous();
                case FIRST -> index == 0 ? source.get(name) : Tensor.zeros(dtype(name), shape);
            });
        }
    }

    @Override
    public void close() {
        source.close();
    }
}
