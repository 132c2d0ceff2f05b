package io.sfumato.io;

import com.fasterxml.jackson.databind.JsonNode;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A checkpoint in several files under a {@code *.index.json} whose {@code weight_map} tells which. */
public final class ShardedTensors implements TensorSource {
    private final Path index;
    private final Map<String, TensorSource> files;
    private final Map<String, TensorSource> byName;

    private ShardedTensors(Path index, Map<String, TensorSource> files, Map<String, TensorSource> byName) {
        this.index = index;
        this.files = files;
        this.byName = byName;
    }

    /** Opens the index and every file that it names; files are looked for only in the index's own folder. */
    public static ShardedTensors open(Path index) {
        JsonNode map = JsonFile.read(index).path("weight_map");
        if (!map.isObject()) {
            throw new CheckpointException(index + ": no weight_map in this index");
        }
        Map<String, TensorSource> files = new TreeMap<>();
        Map<String, TensorSource> byName = new TreeMap<>();
        try {
            for (var e : map.properties()) {
                String file = e.getValue().asText();
                if (!file.matches("[^/\\\\:\\p{Cntrl}]+") || file.endsWith(".json")) {
                    throw new CheckpointException(index + ": '" + SafeTensorsHeader.shown(file) + "' is not a checkpoint of the same folder");
                }
                Path path = index.resolveSibling(file);
                TensorSource shard = files.computeIfAbsent(file, f -> TensorSource.open(path));
                if (!shard.names().contains(e.getKey())) {
                    throw new CheckpointException(path + ": there is no tensor '"
                            + SafeTensorsHeader.shown(e.getKey()) + "', though the index says so");
                }
                byName.put(e.getKey(), shard);
            }
        } catch (RuntimeException e) {
            files.values().forEach(TensorSource::close);
            throw e;
        }
        return new ShardedTensors(index, files, byName);
    }

    @Override
    public String description() {
        return index.toString();
    }

    @Override
    public Set<String> names() {
        return byName.keySet();
    }

    @Override
    public long[] shape(String name) {
        return shard(name).shape(name);
    }

    @Override
    public DType dtype(String name) {
        return shard(name).dtype(name);
    }

    @Override
    public Tensor get(String name) {
        return shard(name).get(name);
    }

    @Override
    public Tensor mapped(String name) {
        return shard(name).mapped(name);
    }

    private TensorSource shard(String name) {
        TensorSource shard = byName.get(name);
        if (shard == null) {
            throw new CheckpointException(index + ": there is no tensor '" + name + "'");
        }
        return shard;
    }

    @Override
    public void close() {
        files.values().forEach(TensorSource::close);
    }
}
