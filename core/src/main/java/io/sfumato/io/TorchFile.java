package io.sfumato.io;

import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What {@code torch.save} wrote, unpickled, and where the bytes of its storages are.
 *
 * @param root the tree; in it a storage is a {@link Storage}
 * @param data finds the bytes of a storage
 */
record TorchFile(Object root, Function<Storage, StoredTensor.Data> data) {
    private static final Map<String, Integer> BYTES = Map.ofEntries(
            Map.entry("ComplexDouble", 16), Map.entry("ComplexFloat", 8), Map.entry("Double", 8), Map.entry("Long", 8),
            Map.entry("Float", 4), Map.entry("Int", 4), Map.entry("QInt32", 4), Map.entry("Half", 2), Map.entry("BFloat16", 2),
            Map.entry("Short", 2), Map.entry("Char", 1), Map.entry("Byte", 1), Map.entry("Bool", 1), Map.entry("QInt8", 1),
            Map.entry("QUInt8", 1), Map.entry("Untyped", 1));

    /**
     * A storage that the pickle names and the file holds elsewhere.
     *
     * @param type   its class, such as {@code torch.FloatStorage}
     * @param offset elements of {@code key}'s storage before this one's first: very old files have views
     */
    record Storage(PickledGlobal type, String key, long offset) {
        /** The name of its elements' type: {@code Float}. */
        String elements() {
            return type.name().replaceFirst("Storage$", "");
        }

        int bytesEach() {
            Integer bytes = BYTES.get(elements());
            if (bytes == null) {
                throw new CheckpointException("its storage '" + SafeTensorsHeader.shown(key) + "' is a " + type + ", which is not known");
            }
            return bytes;
        }
    }

    /** What a persistent id stands for: (storage, class, key, device, length, view) or (module, class, file, source). */
    static Object persistent(Object id) {
        if (id instanceof List<?> parts && parts.size() >= 2 && "module".equals(parts.get(0))) {
            return parts.get(1);
        }
        if (id instanceof List<?> parts && parts.size() >= 5 && "storage".equals(parts.get(0))
                && parts.get(1) instanceof PickledGlobal type && isKey(parts.get(2))) {
            boolean view = parts.size() > 5 && parts.get(5) instanceof List<?> metadata && metadata.size() == 3
                    && metadata.get(1) instanceof Long;
            return new Storage(type, parts.get(2).toString(), view ? (Long) ((List<?>) parts.get(5)).get(1) : 0);
        }
        throw new CheckpointException("a persistent id that is no storage and no module");
    }

    static boolean isKey(Object key) {
        return key instanceof String || key instanceof Long;
    }
}
