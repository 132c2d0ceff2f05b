package io.sfumato.io;

import io.sfumato.io.TorchFile.Storage;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tar archive that the first PyTorch wrote (0.1): members {@code storages}, {@code tensors} and {@code pickle}. */
final class TorchTar {
    private static final int BLOCK = 512;
    private static final int MOST_MEMBERS = 100;
    private static final int MOST = 1_000_000;

    private final FileChannel channel;
    private final Tensor bytes;
    private final Map<String, long[]> members = new HashMap<>();
    private final Map<String, Storage> types = new HashMap<>();
    private final Map<String, StoredTensor.Data> storages = new HashMap<>();
    private final Map<String, Object> known = new HashMap<>();

    private TorchTar(FileChannel channel, Tensor bytes) {
        this.channel = channel;
        this.bytes = bytes;
    }

    /** Whether a file with these first bytes is a tar archive. */
    static boolean matches(byte[] first) {
        return first.length >= BLOCK && new String(first, 257, 5, StandardCharsets.ISO_8859_1).equals("ustar");
    }

    static TorchFile read(FileChannel channel, Tensor bytes) throws IOException {
        TorchTar tar = new TorchTar(channel, bytes);
        tar.readMembers();
        tar.readStorages(tar.member("storages"));
        tar.readTensors(tar.member("tensors"));
        Object root = Pickle.read(tar.member("pickle"), tar::persistent);
        return new TorchFile(root, storage -> tar.storages.get(storage.key()));
    }

    private void readMembers() throws IOException {
        long at = 0;
        while (at + BLOCK <= channel.size() && members.size() < MOST_MEMBERS) {
            PickleInput header = new PickleInput(channel, at, at + BLOCK);
            String name = field(header.bytes(100));
            header.skip(24);
            String size = field(header.bytes(12)).trim();
            if (name.isEmpty() || !size.matches("[0-7]{1,11}")) {
                break;
            }
            long length = Long.parseLong(size, 8);
            members.put(name, new long[] {at + BLOCK, at + BLOCK + length});
            at += BLOCK + (length + BLOCK - 1) / BLOCK * BLOCK;
        }
    }

    private static String field(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        return text.indexOf('\0') < 0 ? text : text.substring(0, text.indexOf('\0'));
    }

    private PickleInput member(String name) throws IOException {
        long[] extent = members.get(name);
        if (extent == null || extent[1] > channel.size()) {
            throw new CheckpointException("a tar archive whose member '" + name + "' is "
                    + (extent == null ? "missing: PyTorch did not write it" : "cut short"));
        }
        return new PickleInput(channel, extent[0], extent[1]);
    }

    /** A count, then (key, device, class) and the bytes of each storage, then the views as (key, root, offset, length). */
    private void readStorages(PickleInput in) {
        for (long i = count(in); i > 0; i--) {
            List<?> description = description(in, 3);
            if (!(description.get(2) instanceof PickledGlobal type)) {
                throw new CheckpointException("its storage " + i + " has no class");
            }
            Storage storage = new Storage(type, description.get(0).toString(), 0);
            types.put(storage.key(), storage);
            storages.put(storage.key(), TorchStream.next(in, storage, bytes));
        }
        if (Pickle.read(in, TorchFile::persistent) instanceof List<?> views) {
            for (Object view : views) {
                if (!(view instanceof List<?> v && v.size() == 4 && TorchFile.isKey(v.get(0)) && TorchFile.isKey(v.get(1))
                        && v.get(2) instanceof Long offset && types.containsKey(v.get(1).toString()))) {
                    throw new CheckpointException("a view of its storages is no (key, root, offset, length)");
                }
                Storage root = types.get(v.get(1).toString());
                types.put(v.get(0).toString(), new Storage(root.type(), root.key(), offset));
            }
        }
    }

    /** A count, then (key, storage, class) of each tensor, and in binary its dimensions, shape, strides and offset. */
    private void readTensors(PickleInput in) {
        for (long i = count(in); i > 0; i--) {
            List<?> description = description(in, 3);
            Storage storage = types.get(description.get(1).toString());
            long dimensions = in.number(8) & 0xffffffffL;                               // the upper half is not written everywhere
            if (storage == null || dimensions > 64) {
                throw new CheckpointException("its tensor '" + description.get(0) + "' has no storage, or " + dimensions + " dimensions");
            }
            List<Object> shape = longs(in, dimensions);
            List<Object> strides = longs(in, dimensions);
            known.put(description.get(0).toString(), new PickledObject(new PickledGlobal("torch._utils", "_rebuild_tensor"),
                    List.of(storage, in.number(8), shape, strides)));
        }
    }

    private static List<Object> longs(PickleInput in, long count) {
        Object[] values = new Object[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.number(8);
        }
        return List.of(values);
    }

    private static long count(PickleInput in) {
        if (Pickle.read(in, TorchFile::persistent) instanceof Long count && count >= 0 && count <= MOST) {
            return count;
        }
        throw new CheckpointException("a count of its storages or tensors is none");
    }

    private static List<?> description(PickleInput in, int parts) {
        if (Pickle.read(in, TorchFile::persistent) instanceof List<?> list && list.size() == parts && TorchFile.isKey(list.get(0))
                && (TorchFile.isKey(list.get(1)) || list.get(1) instanceof PickledNone)) {
            return list;
        }
        throw new CheckpointException("a storage or tensor is not described as PyTorch does");
    }

    /** The key of a tensor or storage, or (class, file, source) of a module. */
    private Object persistent(Object id) {
        if (id instanceof List<?> parts && !parts.isEmpty()) {
            return parts.get(0);
        }
        if (TorchFile.isKey(id) && known.containsKey(id.toString())) {
            return known.get(id.toString());
        }
        if (TorchFile.isKey(id) && types.containsKey(id.toString())) {
            return types.get(id.toString());
        }
        throw new CheckpointException("a persistent id that is no tensor, storage or module");
    }
}
