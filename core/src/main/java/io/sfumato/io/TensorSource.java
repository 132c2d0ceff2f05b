package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;
import java.util.Set;

/** Named tensors in a file or files. */
public interface TensorSource extends AutoCloseable {
    /** What to call it in messages: usually its path. */
    String description();

    Set<String> names();

    long[] shape(String name);

    DType dtype(String name);

    /** The tensor as stored; it may share the file's memory and is not to be written to. */
    Tensor get(String name);

    @Override
    void close();
}
