package io.sfumato.io;

import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * A file that {@code torch.save} wrote ({@code .ckpt}, {@code .pt}, {@code .pth}, {@code .bin}, {@code .pkl}): a zip archive, the
 * stream of before PyTorch 1.6, or the first PyTorch's tar archive. Its tensors have the names of a state dict, whether the file is
 * one, has one under {@code state_dict} or {@code model}, or is a pickled module; other values are in {@link #tree}.
 *
 * <p>Such a file is a program for Python's pickle machine. Here it can build maps, lists, numbers, strings and views of the file's own
 * bytes, which are mapped; whatever else it names stays a name ({@link PickledObject}) and is an error only where a tensor is made
 * of it.
 */
public final class TorchPickle implements TensorSource {
    private static final int FIRST = 512;

    private final Path file;
    private final Object tree;
    private final StateDict tensors;
    private final Set<String> names = new TreeSet<>();
    private final Tensor bytes;

    private TorchPickle(Path file, Object tree, StateDict tensors, Tensor bytes) {
        this.file = file;
        this.tree = tree;
        this.tensors = tensors;
        names.addAll(tensors.tensors().keySet());
        names.addAll(tensors.refused().keySet());
        this.bytes = bytes;
    }

    /**
     * Opens and checks a file.
     *
     * @throws CheckpointException naming the file and the tensor, when it is not a sound file of PyTorch
     */
    public static TorchPickle open(Path file) {
        if (Files.isDirectory(file)) {
            throw bad(file, "a folder, where a file of PyTorch is wanted");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            byte[] first = first(channel);
            if (!matches(first)) {
                throw bad(file, "no file of PyTorch" + FileKind.clause(first) + ": it is no zip archive, pickle or tar archive");
            }
            Tensor bytes = SafeTensors.map(file, channel, channel.size());
            try {
                TorchFile read = first[0] == 'P' ? TorchZip.read(channel, bytes)
                        : TorchTar.matches(first) ? TorchTar.read(channel, bytes) : TorchStream.read(channel, bytes);
                return new TorchPickle(file, read.root(), StateDict.of(read.root(), read.data()), bytes);
            } catch (RuntimeException e) {
                bytes.close();
                throw e instanceof CheckpointException ? bad(file, e.getMessage()) : e;
            }
        } catch (NoSuchFileException e) {
            throw bad(file, "there is no such file");
        } catch (IOException | UncheckedIOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Whether a file begins as one of PyTorch's does. */
    static boolean matches(Path file) {
        try (FileChannel channel = FileChannel.open(file)) {
            return matches(first(channel));
        } catch (IOException e) {
            return false;
        }
    }

    private static byte[] first(FileChannel channel) throws IOException {
        return new PickleInput(channel, 0, channel.size()).bytes(Math.min(FIRST, channel.size()));
    }

    private static boolean matches(byte[] first) {
        return first.length > 3 && (first[0] == 'P' && first[1] == 'K' && first[2] == 3 && first[3] == 4
                || first[0] == (byte) 0x80 && first[1] >= 2 && first[1] <= 5 && !isHeaderLength(first)) || TorchTar.matches(first);
    }

    /** A safetensors file may begin with these bytes too: the length of its header, below 2^40, before the header's brace. */
    private static boolean isHeaderLength(byte[] first) {
        return first.length > 8 && first[5] == 0 && first[6] == 0 && first[7] == 0 && first[8] == '{';
    }

    private static CheckpointException bad(Path file, String what) {
        return new CheckpointException(file + ": " + what);
    }

    /**
     * Everything that was saved: String, Long, BigInteger, Double, Boolean, byte[], List (also of tuples and sets), Map,
     * {@link PickledNone}, {@link PickledGlobal} and {@link PickledObject}. Not to be printed or compared whole: parts may be shared
     * and lie within themselves.
     */
    public Object tree() {
        return tree;
    }

    @Override
    public String description() {
        return file.toString();
    }

    /** Also of those that cannot be read, which {@link #get} then says. */
    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(names);
    }

    @Override
    public long[] shape(String name) {
        return find(name).shape().clone();
    }

    @Override
    public DType dtype(String name) {
        return find(name).dtype();
    }

    /** The tensor without gaps: shared with the mapped file where it lies so there, else a copy. Not to be written to. */
    @Override
    public Tensor get(String name) {
        return find(name).read();
    }

    private StoredTensor find(String name) {
        if (tensors.refused().containsKey(name)) {
            throw bad(file, "tensor '" + SafeTensorsHeader.shown(name) + "' " + tensors.refused().get(name));
        }
        StoredTensor tensor = tensors.tensors().get(name);
        if (tensor == null) {
            throw bad(file, "there is no tensor '" + name + "'");
        }
        return tensor;
    }

    @Override
    public void close() {
        bytes.close();
    }
}
