package io.sfumato.models.parti;

import io.sfumato.io.CutTensors;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.nn.Past;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.NoGrad;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;

/** One process of a group that draws with one Parti: {@code PartiRank CHECKPOINT FOLDER}, run by {@link ParallelPartiTest}. */
final class PartiRank {
    static final Parti.Config CONFIG = new Parti.Config(2, 4, 12, 20, 4, 9, 5, 7, 4, 1);

    private PartiRank() {
    }

    public static void main(String[] args) {
        try (ProcessGroup group = ProcessGroup.of(System.getenv())) {
            write(Path.of(args[0]), group, Path.of(args[1]).resolve(group.rank() + ".safetensors"));
        }
    }

    /** Text states, logits at once and step by step, and the numbers of this process's matrices in layers. */
    static void write(Path checkpoint, ProcessGroup group, Path file) {
        try (var scope = new Scope(); var noGrad = new NoGrad();
                CutTensors share = new CutTensors(SafeTensors.open(checkpoint), Parti::cut, group.rank(), group.size());
                Weights weights = Weights.load(share, DType.F32, Device.CPU)) {
            Parti parti = weights.build(w -> new Parti(w, CONFIG, group), extra -> false);
            Tensor ids = Tensor.of(3, 4, 1, 0, 0, 0, 0, 0, 0, 0).view(2, 5);
            Tensor read = Tensor.of(7, 1, 2, 3, 0, 6, 7, 0, 5, 4, 1, 1).view(2, 6);
            Parti.Memory memory = parti.memory(ids);
            long matrices = weights.parameters().entrySet().stream().filter(e -> e.getKey().contains(".layers.") && e.getValue().dim() == 2)
                    .mapToLong(e -> e.getValue().numel()).sum();
            SafeTensors.write(file, Map.of("states", parti.encode(ids), "whole", parti.decode(read, 0, memory, i -> Past.NONE),
                    "steps", PartiTest.stepByStep(parti, read, memory, 2), "matrices", Tensor.full(matrices, 1)), Map.of());
        }
    }
}
