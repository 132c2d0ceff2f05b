package io.sfumato.training;

import io.sfumato.io.CheckpointException;
import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Everything that a stage of training needs to go on: groups of named tensors and the step, in one safetensors file. */
record Checkpoint(Path file) {
    /** Writes {@code groups} (such as weights, ema, m, v) and the number of steps done. */
    void save(long step, Map<String, Map<String, Tensor>> groups) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        groups.forEach((group, tensors) -> tensors.forEach((name, x) -> all.put(group + "/" + name, x)));
        SafeTensors.write(file, all, Map.of("step", String.valueOf(step)));
    }

    /** The steps done, or 0 when nothing was saved yet. */
    long steps() {
        if (!Files.exists(file)) {
            return 0;
        }
        try (SafeTensors saved = SafeTensors.open(file)) {
            return Long.parseLong(saved.metadata().get("step"));
        }
    }

    /**
     * Copies a saved state into {@code groups}; where there is none yet, they are saved as that of step 0, so that a run which is cut off
     * before its first checkpoint begins again with what it had begun with. Returns {@link #steps()}.
     */
    long restore(Map<String, Map<String, Tensor>> groups) {
        if (Files.exists(file)) {
            try (SafeTensors saved = SafeTensors.open(file); var scope = new Scope(); var noGrad = new NoGrad()) {
                groups.forEach((group, tensors) -> tensors.forEach((name, x) -> copy(saved, group + "/" + name, x)));
            }
        } else {
            save(0, groups);
        }
        return steps();
    }

    private void copy(SafeTensors saved, String name, Tensor x) {
        Tensor y = saved.get(name);
        if (!Arrays.equals(y.shape(), x.shape())) {
            throw new CheckpointException(file + ": " + name + " is " + Arrays.toString(y.shape()) + ", where the recipe has "
                    + Arrays.toString(x.shape()) + ": the recipe has changed since");
        }
        x.copy_(y);
    }
}
