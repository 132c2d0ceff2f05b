package io.sfumato.training;

import io.sfumato.io.SafeTensors;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
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

    /**
     * Copies a saved state into {@code groups}.
     *
     * @return the steps done, or 0 when nothing was saved yet
     */
    long restore(Map<String, Map<String, Tensor>> groups) {
        if (!Files.exists(file)) {
            return 0;
        }
        try (SafeTensors saved = SafeTensors.open(file); var scope = new Scope(); var noGrad = new NoGrad()) {
            groups.forEach((group, tensors) -> tensors.forEach((name, x) -> x.copy_(saved.get(group + "/" + name))));
            return Long.parseLong(saved.metadata().get("step"));
        }
    }
}
