package io.sfumato;

import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The numbers behind a picture, by name: {@code text_embeddings}, {@code latents.0} (what enters the first step), {@code latents.k}
 * (after step k), {@code timesteps}, {@code sigmas} where there are any, {@code image} (N, 3, H, W) in [0, 1]. Owns its tensors.
 */
public final class Trace implements AutoCloseable {
    private static final Trace NONE = new Trace(false);

    private final Map<String, Tensor> tensors;
    private final boolean records;
    private final String prefix;

    private Trace(boolean records) {
        this(new LinkedHashMap<>(), records, "");
    }

    private Trace(Map<String, Tensor> tensors, boolean records, String prefix) {
        this.tensors = tensors;
        this.records = records;
        this.prefix = prefix;
    }

    public static Trace recording() {
        return new Trace(true);
    }

    /** This one, where every name begins with {@code prefix}. */
    public Trace under(String prefix) {
        return new Trace(tensors, records, this.prefix + prefix);
    }

    /**
     * Takes over what belongs to picture {@code i} of a batch of {@code n}: of every tensor its rows. Timesteps and sigmas, which have no
     * rows, belong to all.
     */
    public void putPicture(Trace batch, int i, int n) {
        batch.tensors.forEach((name, x) -> {
            try (var scope = new Scope()) {
                put(name, x.dim() < 2 || x.size(0) % n != 0 ? x : everyNth(x, i, n));
            }
        });
    }

    /** Guided pictures have a row in each of several blocks of n. */
    private static Tensor everyNth(Tensor x, int i, int n) {
        Tensor[] rows = new Tensor[(int) x.size(0) / n];
        Arrays.setAll(rows, block -> x.narrow(0, (long) block * n + i, 1));
        return Tensor.cat(0, rows);
    }

    /** Records nothing. */
    public static Trace none() {
        return NONE;
    }

    /** Whether it is worth while to compute numbers only for the trace. */
    public boolean isRecording() {
        return records;
    }

    public void put(String name, Tensor x) {
        if (records) {
            try (var scope = new Scope()) {
                tensors.put(prefix + name, x.detach().clone().retain());
            }
        }
    }

    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** Writes them as one safetensors file. */
    public void write(Path file) {
        SafeTensors.write(file, tensors, Map.of());
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::close);
        tensors.clear();
    }
}
