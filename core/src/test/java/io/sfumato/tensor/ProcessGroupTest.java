package io.sfumato.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.LiveObjects;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ProcessGroupTest {
    @Test
    void threeProcessesAddAndShowAndHandRound() throws Exception {
        List<float[][]> seen = together(3, group -> {
            float r = group.rank();
            try (var scope = new Scope()) {
                Tensor sum = group.allReduce(Tensor.of(new float[] {r, 10 * r}, 2));
                Tensor told = group.broadcast(Tensor.of(new float[] {r, -r}, 2), 2);
                Tensor rows = group.allGather(Tensor.of(new float[] {r, r + 0.5f}, 2, 1), 1);              // (2, 3)
                // A layout that is not row by row: neighbours of the first dimension are next to each other.
                Tensor turned = group.allGather(Tensor.of(new float[] {r, 1, 2, 3}, 2, 2).transpose(0, 1), 0);
                group.barrier();
                return new float[][] {sum.toFloats(), told.toFloats(), rows.toFloats(), turned.narrow(0, 2, 2).toFloats()};
            }
        });
        for (float[][] one : seen) {
            assertThat(one[0]).containsExactly(3, 30);
            assertThat(one[1]).containsExactly(2, -2);
            assertThat(one[2]).containsExactly(0, 1, 2, 0.5f, 1.5f, 2.5f);
            assertThat(one[3]).containsExactly(1, 2, 1, 3);
        }
    }

    @Test
    void theSumHasTheSameBitsInEachProcess() throws Exception {
        List<Tensor> sums = together(3, group -> {
            try (Rng rng = new Rng(group.rank()); var scope = new Scope()) {
                return scope.keep(group.allReduce(rng.randn(100_003)));
            }
        });
        try (var scope = new Scope()) {
            assertThat(sums.get(1).equal(sums.get(0))).isTrue();
            assertThat(sums.get(2).equal(sums.get(0))).isTrue();
        }
        sums.forEach(Tensor::close);
    }

    @Test
    void joinsOtherJvms() throws Exception {
        String port = String.valueOf(freePort());
        List<Process> others = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            ProcessBuilder b = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m",
                    "-Dsfumato.threads=1", "-cp", System.getProperty("java.class.path"), SumOfRanks.class.getName());
            b.environment().putAll(Map.of("RANK", String.valueOf(rank), "WORLD_SIZE", "2", "MASTER_PORT", port));
            others.add(b.redirectError(ProcessBuilder.Redirect.DISCARD).start());
        }
        for (Process other : others) {
            assertThat(new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("3.0");
            assertThat(other.waitFor()).isZero();
        }
    }

    @Test
    void aloneNothingChanges() {
        long live = LiveObjects.settled();
        try (var scope = new Scope(); ProcessGroup group = ProcessGroup.of(Map.of())) {
            assertThat(group.size()).isEqualTo(1);
            assertThat(group.allReduce(Tensor.of(new float[] {5}, 1)).item()).isEqualTo(5);
            assertThat(group.broadcast(Tensor.of(new float[] {5}, 1), 0).item()).isEqualTo(5);
            assertThat(group.allGather(Tensor.of(new float[] {5, 6}, 2), 0).toFloats()).containsExactly(5, 6);
            group.barrier();
        }
        assertThat(LiveObjects.settled()).isEqualTo(live);
    }

    @Test
    void nothingIsLeftBehind() throws Exception {
        Function<ProcessGroup, Boolean> work = group -> {
            try (var scope = new Scope()) {
                group.allReduce(Tensor.ones(100));
                group.allGather(Tensor.ones(100), 0);
                group.barrier();
            }
            return true;
        };
        together(2, work);
        long live = LiveObjects.settled();
        together(2, work);
        assertThat(LiveObjects.settled()).isEqualTo(live);
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        assertThatIllegalArgumentException().isThrownBy(() -> ProcessGroup.join(2, 2, "localhost:1"))
                .withMessage("rank 2 in a group of 2: ranks go from 0 to 1");
        assertThatIllegalArgumentException().isThrownBy(() -> ProcessGroup.join(0, 2, "localhost"))
                .withMessage("'localhost' is no address: HOST:PORT is wanted, such as localhost:29500");
        assertThatIllegalArgumentException().isThrownBy(() -> ProcessGroup.join(0, 2, "localhost:70000"))
                .withMessageStartingWith("'localhost:70000' is no address");
        assertThatIllegalArgumentException().isThrownBy(() -> ProcessGroup.of(Map.of("WORLD_SIZE", "2")))
                .withMessage("the environment has WORLD_SIZE, and RANK is '': a whole number is wanted");
        assertThatIllegalArgumentException().isThrownBy(() -> ProcessGroup.alone().broadcast(Tensor.ones(1), 1))
                .withMessage("broadcast from rank 1 in a group of 1: ranks go from 0 to 0");
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("0.0.0.0"))) {
            String address = "localhost:" + taken.getLocalPort();
            assertThatThrownBy(() -> ProcessGroup.join(0, 2, address, Duration.ofSeconds(1))).isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("cannot listen at " + address + ": ");
        }
        String empty = "localhost:" + freePort();
        assertThatThrownBy(() -> ProcessGroup.join(1, 2, empty, Duration.ofSeconds(1))).isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("nobody with rank 0 listens at " + empty + ": ");
        assertThatThrownBy(() -> ProcessGroup.join(0, 2, empty, Duration.ofSeconds(1))).isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("not all of 2 processes came to " + empty + ": ");
    }

    @Test
    void saysWhoIsMissing() throws Exception {
        List<String> told = together(2, group -> {
            try (var scope = new Scope()) {
                return group.rank() == 1 ? "" : group.allReduce(Tensor.ones(1)).toString();
            } catch (IllegalStateException e) {
                return e.getMessage();
            }
        });
        assertThat(told.get(0)).startsWith("allReduce of Tensor[1] F32 among 2 processes, in that with rank 0: ");
    }

    // Each rank in a thread of its own: for the engine they are strangers all the same.
    private static <T> List<T> together(int size, Function<ProcessGroup, T> work) throws Exception {
        String address = "localhost:" + freePort();
        ExecutorService threads = Executors.newFixedThreadPool(size);
        List<Future<T>> running = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            int rank = i;
            running.add(threads.submit(() -> {
                try (ProcessGroup group = ProcessGroup.join(rank, size, address, Duration.ofSeconds(20))) {
                    return work.apply(group);
                }
            }));
        }
        List<T> results = new ArrayList<>();
        for (Future<T> one : running) {
            results.add(one.get());
        }
        threads.shutdown();
        return results;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
