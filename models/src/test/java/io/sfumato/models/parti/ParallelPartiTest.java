package io.sfumato.models.parti;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sfumato.io.CutTensors;
import io.sfumato.io.SafeTensors;
import io.sfumato.io.Weights;
import io.sfumato.models.Fixture;
import io.sfumato.tensor.DType;
import io.sfumato.tensor.Device;
import io.sfumato.tensor.ProcessGroup;
import io.sfumato.tensor.Scope;
import io.sfumato.tensor.Tensor;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two processes that hold half of each layer write what one with all of it writes. */
class ParallelPartiTest {
    @TempDir
    Path temp;

    @Test
    void twoProcessesWriteWhatOneWrites() throws Exception {
        Path checkpoint = temp.resolve("parti.safetensors");
        try (var scope = new Scope(); Weights weights = Fixture.seeded(w -> new Parti(w, PartiRank.CONFIG), 4)) {
            new Parti(weights, PartiRank.CONFIG);
            Map<String, Tensor> tensors = new HashMap<>();
            weights.parameters().forEach((name, x) -> tensors.put(name, x.contiguous()));
            SafeTensors.write(checkpoint, tensors, Map.of());
        }
        run(checkpoint, 2);
        PartiRank.write(checkpoint, ProcessGroup.alone(), temp.resolve("one.safetensors"));
        try (var scope = new Scope(); SafeTensors one = SafeTensors.open(temp.resolve("one.safetensors"));
                SafeTensors first = SafeTensors.open(temp.resolve("0.safetensors"));
                SafeTensors second = SafeTensors.open(temp.resolve("1.safetensors"))) {
            for (String what : List.of("states", "whole", "steps")) {
                Fixture.assertClose(what, first.get(what), one.get(what), 1e-5);
                assertThat(second.get(what).equal(first.get(what))).as(what).isTrue();
            }
            assertThat(first.get("matrices").item() * 2).isEqualTo(one.get("matrices").item());
            assertThat(second.get("matrices").item() * 2).isEqualTo(one.get("matrices").item());
        }
    }

    private void run(Path checkpoint, int processes) throws IOException, InterruptedException {
        String port = "" + freePort();
        List<Process> ranks = new ArrayList<>();
        for (int rank = 0; rank < processes; rank++) {
            ProcessBuilder b = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m",
                    "-Dsfumato.threads=1", "-cp", System.getProperty("java.class.path"), PartiRank.class.getName(), checkpoint.toString(),
                    temp.toString());
            b.environment().putAll(Map.of("RANK", "" + rank, "WORLD_SIZE", "" + processes, "MASTER_PORT", port));
            ranks.add(b.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT).start());
        }
        for (Process rank : ranks) {
            assertThat(rank.waitFor()).isZero();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void unevenSharesAreRefused() throws IOException {
        String address = "localhost:" + freePort();
        Parti.Config threeHeads = new Parti.Config(1, 1, 9, 20, 3, 9, 5, 7, 4, 1);
        new Thread(() -> {
            try (ProcessGroup group = ProcessGroup.join(1, 2, address)) {
                group.barrier();
            }
        }).start();
        try (ProcessGroup group = ProcessGroup.join(0, 2, address);
                Weights weights = Weights.load(Fixture.empty(), DType.F32, Device.CPU)) {
            group.barrier();
            assertThatIllegalArgumentException().isThrownBy(() -> new Parti(weights, threeHeads, group))
                    .withMessage("heads 3 and mlp 20 must be multiples of the 2 processes that share them");
        }
    }

    @Test
    void whatIsCut() {
        assertThat(Parti.cut("decoder.layers.3.self.query.weight")).isEqualTo(CutTensors.Cut.ROWS);
        assertThat(Parti.cut("decoder.layers.3.up.bias")).isEqualTo(CutTensors.Cut.ROWS);
        assertThat(Parti.cut("decoder.layers.3.cross.out.weight")).isEqualTo(CutTensors.Cut.COLUMNS);
        assertThat(Parti.cut("encoder.layers.0.down.bias")).isEqualTo(CutTensors.Cut.FIRST);
        assertThat(Parti.cut("decoder.head.weight")).isEqualTo(CutTensors.Cut.WHOLE);
    }
}
