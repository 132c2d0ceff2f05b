package io.sfumato.cli;

import io.sfumato.families.MemoryEstimate;
import io.sfumato.hub.BuiltinModels;
import io.sfumato.tensor.Engine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Looks at everything that a run stands on, and says what is broken. */
@Command(name = "doctor", mixinStandardHelpOptions = true,
        description = "Looks whether this machine can run Sfumato, and says what is missing.")
final class Doctor implements Callable<Integer> {
    private static final long LITTLE_MEMORY = 1L << 30;

    /** What a look found: {@code broken} if nothing can be drawn as long as it stays so. */
    private record Finding(boolean broken, String text) {
        static Finding ok(String text) {
            return new Finding(false, text);
        }

        static Finding problem(String text) {
            return new Finding(true, text);
        }
    }

    @Spec
    private CommandSpec spec;

    private PrintWriter out;
    private boolean broken;

    @Override
    public Integer call() {
        out = spec.commandLine().getOut();
        tell("sfumato", () -> Finding.ok(Main.version()));
        tell("java", () -> Finding.ok(System.getProperty("java.version") + ", " + System.getProperty("java.vm.name") + ", heap up to "
                + gib(Runtime.getRuntime().maxMemory())));
        tell("platform", () -> Finding.ok(System.getProperty("os.name") + " " + System.getProperty("os.arch")));
        tell("engine", () -> {
            Engine.load();
            return Finding.ok("libtorch " + Engine.version());
        });
        tell("cpu", () -> Finding.ok(Engine.cpuCapability() + ", " + Engine.threads() + " threads of "
                + Runtime.getRuntime().availableProcessors() + " processors"));
        tell("memory", Doctor::memory);
        tell("cuda", Doctor::cuda);
        tell("models", Doctor::models);
        tell("cache", Doctor::cache);
        out.flush();
        return broken ? Main.FAILED : 0;
    }

    private void tell(String name, Callable<Finding> look) {
        Finding finding;
        try {
            finding = look.call();
        } catch (Exception | LinkageError e) {
            finding = Finding.problem(Engine.firstLine(e));
        }
        broken |= finding.broken;
        out.printf("%-8s %-9s %s%n", finding.broken ? "problem" : "ok", name, finding.text);
    }

    private static Finding memory() {
        long available = MemoryEstimate.available();
        return new Finding(available < LITTLE_MEMORY, gib(available) + " available"
                + (available < LITTLE_MEMORY ? ": at least 1 GiB is wanted" : ""));
    }

    /** Not needed, so never broken; but what it lacks is said. */
    private static Finding cuda() {
        if (Engine.hasCuda()) {
            return Finding.ok("yes");
        }
        boolean built = System.getProperty("java.class.path").contains("-gpu.jar");
        boolean driver = Files.exists(Path.of("/proc/driver/nvidia/version"));
        return Finding.ok("no: " + (built ? "" : "this build has only the CPU: build with mvn -Pcuda; ")
                + (driver ? "there is an NVIDIA driver; CUDA 13.1 and cuDNN are wanted too" : "there is no NVIDIA driver"));
    }

    private static Finding models() {
        List<String> names = BuiltinModels.names();
        return Finding.ok(names.isEmpty() ? "none builtin: --model is needed" : "builtin:" + String.join(", builtin:", names));
    }

    private static Finding cache() {
        Path folder = BuiltinModels.cache();
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, "doctor", ""));
            return Finding.ok(folder + ", writable");
        } catch (IOException e) {
            return Finding.problem(folder + ": cannot be written; set SFUMATO_CACHE to a folder that can");
        }
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }
}
