package io.sfumato.io;

import io.sfumato.io.TorchFile.Storage;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.channels.FileChannel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The stream that PyTorch wrote before 1.6: pickles of a magic number, the version, the machine, the tree and the storages' keys,
 * then for each key a length and the bytes.
 */
final class TorchStream {
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final long VERSION = 1001;

    private TorchStream() {
    }

    static TorchFile read(FileChannel channel, Tensor bytes) throws IOException {
        PickleInput in = new PickleInput(channel, 0, channel.size());
        Object first = Pickle.read(in, TorchFile::persistent);
        if (!first.equals(MAGIC)) {
            throw new CheckpointException("a pickle, but not one of torch.save: it has no storages");
        }
        if (!Pickle.read(in, TorchFile::persistent).equals(VERSION)) {
            throw new CheckpointException("a PyTorch stream of another version than " + VERSION);
        }
        if (Pickle.read(in, TorchFile::persistent) instanceof Map<?, ?> machine && Boolean.FALSE.equals(machine.get("little_endian"))) {
            throw new CheckpointException("written on a big-endian machine; little-endian files are read");
        }
        Map<String, Storage> storages = new HashMap<>();
        Object root = Pickle.read(in, id -> {
            Object named = TorchFile.persistent(id);
            if (named instanceof Storage storage) {
                storages.putIfAbsent(storage.key(), storage);
            }
            return named;
        });
        Map<String, StoredTensor.Data> data = new HashMap<>();
        if (!(Pickle.read(in, TorchFile::persistent) instanceof List<?> keys)) {
            throw new CheckpointException("its list of storages is no list");
        }
        for (Object key : keys) {
            if (!TorchFile.isKey(key) || !storages.containsKey(key.toString())) {
                throw new CheckpointException("its list of storages has one that no tensor is in");
            }
            data.put(key.toString(), next(in, storages.get(key.toString()), bytes));
        }
        return new TorchFile(root, storage -> {
            StoredTensor.Data found = data.get(storage.key());
            if (found == null) {
                throw lacks(storage);
            }
            return found;
        });
    }

    static CheckpointException lacks(Storage storage) {
        return new CheckpointException("is in storage '" + SafeTensorsHeader.shown(storage.key()) + "', which the file lacks");
    }

    /** The bytes of a storage, after their count in elements. */
    static StoredTensor.Data next(PickleInput in, Storage storage, Tensor bytes) {
        long count = in.number(8);
        if (count < 0 || count > Long.MAX_VALUE / 16) {
            throw new CheckpointException("its storage '" + SafeTensorsHeader.shown(storage.key()) + "' has the absurd length "
                    + Long.toUnsignedString(count));
        }
        StoredTensor.Mapped data = new StoredTensor.Mapped(bytes, in.position(), count * storage.bytesEach());
        in.skip(data.length());
        return data;
    }
}
