package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Named tensors in a file or files. */
public interface TensorSource extends AutoCloseable {
    /**
     * Opens a checkpoint by what is in it, whatever its name: safetensors or a file of PyTorch; one that ends in {@code .json} is an
     * index of shards.
     *
     * @throws CheckpointException naming the file and what is wrong with it
     */
    static TensorSource open(Path file) {
        if (file.toString().endsWith(".json")) {
            return ShardedTensors.open(file);
        }
        return Files.isRegularFile(file) && TorchPickle.matches(file) ? TorchPickle.open(file) : SafeTensors.open(file);
    }

    /** What to call it in messages: usually its path. */
    String description();

    Set<String> names();

    long[] shape(String name);

    DType dtype(String name);

    /** The tensor as stored; it may share the file's memory and is not to be written to. */
    Tensor get(String name);

    /** The same for one who converts it at once: what it touched of the file may leave memory with it. */
    default Tensor mapped(String name) {
        return get(name);
    }

    @Override
    void close();
}
