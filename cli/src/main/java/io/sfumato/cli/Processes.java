package io.sfumato.cli;

import io.sfumato.tensor.Engine;
import io.sfumato.tensor.ProcessGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The processes that share a training: this one and others, which find each other by torchrun's variables. Those that this one has started
 * end with it, and it sees when one fails.
 */
final class Processes implements AutoCloseable {
    private static final int SECONDS = 3;

    private final List<Other> others;
    private final ProcessGroup group;

    private Processes(List<Other> others, ProcessGroup group) {
        this.others = others;
        this.group = group;
    }

    /** Those that another program has started, as the variables in {@code environment} tell; this one alone where there are none. */
    static Processes of(Map<String, String> environment) {
        return new Processes(List.of(), ProcessGroup.of(environment));
    }

    /**
     * Starts {@code size - 1} more of this program with the same options of Java, divides its threads among all, and waits until they have
     * come.
     *
     * @param arguments of the command, in each
     * @param check     throws once the wait is to end
     * @throws IllegalStateException when one of them ends
     */
    static Processes start(int size, List<String> arguments, Runnable check) {
        Map<String, String> variables = new HashMap<>(Map.of("WORLD_SIZE", String.valueOf(size), "MASTER_ADDR", "localhost",
                "MASTER_PORT", String.valueOf(freePort())));
        List<Other> others = new ArrayList<>();
        int threads = Engine.threads();
        try {
            for (int rank = 1; rank < size; rank++) {
                variables.put("RANK", String.valueOf(rank));
                others.add(Other.start(rank, variables, share(threads, rank, size), arguments));
            }
            variables.put("RANK", "0");
            Engine.setThreads(share(threads, 0, size));
            return new Processes(others, joined(variables, others, check));
        } catch (RuntimeException e) {
            others.forEach(Other::stop);
            throw e;
        }
    }

    private static int share(int threads, int rank, int size) {
        return Math.max(1, threads * (rank + 1) / size - threads * rank / size);
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no port is free to meet other processes at: " + e.getMessage(), e);
        }
    }

    // The engine waits for minutes, and does not know that who is waited for has ended.
    private static ProcessGroup joined(Map<String, String> variables, List<Other> others, Runnable check) {
        CompletableFuture<ProcessGroup> joined = CompletableFuture.supplyAsync(() -> ProcessGroup.of(variables));
        while (true) {
            try {
                return joined.get(100, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                check.run();
                check(others);
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
    }

    private static IllegalStateException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new IllegalStateException("interrupted while other processes were waited for", e);
    }

    ProcessGroup group() {
        return group;
    }

    /** Whether this is the process that writes and shows. */
    boolean isFirst() {
        return group.rank() == 0;
    }

    /** @throws IllegalStateException where a process has failed that this one has started */
    void check() {
        check(others);
    }

    private static void check(List<Other> others) {
        // Where one was killed, more may have failed for want of it: a signal makes for the larger code.
        others.stream().filter(Other::hasFailed).max(Comparator.comparingInt(Other::code)).ifPresent(other -> {
            throw new IllegalStateException("the process with rank " + other.rank + " has ended with exit code " + other.code()
                    + other.reason() + "; the same command goes on from the last checkpoint");
        });
    }

    /** The same after an operation of the group has failed: a process that ends closes its connections a moment before. */
    void checkForAMoment() {
        try {
            for (int i = 0; i < 10 * SECONDS && !others.isEmpty(); i++) {
                check();
                Thread.sleep(100);
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** Waits until those that were started have done their work. */
    void await() {
        try {
            for (Other other : others) {
                other.process.waitFor();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        check();
    }

    @Override
    public void close() {
        others.forEach(Other::stop);
        group.close();
    }

    /** One that was started; what it has to say of an error goes to a file. */
    private record Other(int rank, Process process, Path said, Thread hook) {
        static Other start(int rank, Map<String, String> variables, int threads, List<String> arguments) {
            List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
            line.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
            line.addAll(List.of("-Dsfumato.threads=" + threads, "-cp", System.getProperty("java.class.path"), Main.class.getName()));
            line.addAll(arguments);
            try {
                Path said = Files.createTempFile("sfumato-rank-" + rank + "-", ".txt");
                ProcessBuilder builder = new ProcessBuilder(line).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(said.toFile());
                builder.environment().putAll(variables);
                Process process = builder.start();
                Thread hook = new Thread(process::destroyForcibly, "end of rank " + rank);
                Runtime.getRuntime().addShutdownHook(hook);
                return new Other(rank, process, said, hook);
            } catch (IOException e) {
                throw new UncheckedIOException("the process with rank " + rank + " cannot be started: " + e.getMessage(), e);
            }
        }

        boolean hasFailed() {
            return !process.isAlive() && code() != 0;
        }

        int code() {
            return process.exitValue();
        }

        String reason() {
            try {
                return Files.readAllLines(said).stream().filter(line -> line.startsWith("sfumato: ")).findFirst()
                        .map(line -> line.substring("sfumato".length())).orElse("");
            } catch (IOException e) {
                return "";
            }
        }

        // At once: it writes nothing that could be left half done.
        void stop() {
            process.destroyForcibly();
            try {
                process.waitFor();
                Files.deleteIfExists(said);
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (InterruptedException e) {
                throw interrupted(e);
            } catch (IOException e) {
                throw new UncheckedIOException(said + ": cannot be deleted: " + e.getMessage(), e);
            } catch (IllegalStateException ending) {
                // The program is ending: the hook has done the same.
            }
        }
    }
}
