package io.sfumato.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;

/** The native engine (libtorch): loaded once, with as many threads as the machine has physical cores. */
public final class Engine {
    /** System property: operator threads to begin with, in place of one for each physical core. */
    private static final String THREADS = "sfumato.threads";
    private static final String PHYSICAL_BYTES = "org.bytedeco.javacpp.maxPhysicalBytes";
    private static final String EXTENSION = "org.bytedeco.javacpp.platform.extension";
    private static final String LOAD_LIBRARIES = "org.bytedeco.javacpp.loadLibraries";
    private static final boolean AVX512;

    static {
        // Where CUDA's build may be meant, JavaCPP looks everywhere for some thirty libraries of CUDA's: a third of the loading.
        if (System.getProperty(EXTENSION) == null && !hasCudaBuild()) {
            System.setProperty(EXTENSION, "");
        }
        // JavaCPP otherwise stops a program whose resident memory is four times its Java heap: tensors are not in that heap.
        if (System.getProperty(PHYSICAL_BYTES) == null) {
            System.setProperty(PHYSICAL_BYTES, "0");
        }
        doNotWarnOfOpenBlas();
        try {
            Loader.load(torch.class);
        } catch (UnsatisfiedLinkError e) {
            throw new IllegalStateException("libtorch has no build for this platform (" + Loader.getPlatform()
                    + "): linux-x86_64, windows-x86_64, macosx-arm64 and macosx-x86_64 have one; " + firstLine(e), e);
        }
        setThreads(Integer.getInteger(THREADS, physicalCores()));
        // OpenBLAS has threads of its own. Called from libtorch's they wait for each other, spinning: attention was seventy times slower.
        openblas_nolapack.blas_set_num_threads(1);
        AVX512 = cpuCapability().startsWith("AVX512");
    }

    private Engine() {
    }

    // OpenBLAS's presets are of the release before JavaCPP's, with which they work. Their class warns of that on standard error as it is
    // initialized, unless JavaCPP thinks that it is only building.
    private static void doNotWarnOfOpenBlas() {
        String load = System.getProperty(LOAD_LIBRARIES);
        System.setProperty(LOAD_LIBRARIES, "false");
        try {
            Class.forName("org.bytedeco.openblas.presets.openblas");
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("OpenBLAS is not in the class path", e);
        } finally {
            if (load == null) {
                System.clearProperty(LOAD_LIBRARIES);
            } else {
                System.setProperty(LOAD_LIBRARIES, load);
            }
        }
    }

    private static boolean hasCudaBuild() {
        String folder = "/org/bytedeco/pytorch/" + Loader.getPlatform() + "-gpu/";
        return Engine.class.getResource(folder + System.mapLibraryName("jnitorch")) != null;
    }

    /** Loads the engine; a second call does nothing. */
    public static void load() {
    }

    /** Threads that one operator may use. */
    public static int threads() {
        return torch.get_num_threads();
    }

    public static void setThreads(int n) {
        if (n < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + n);
        }
        torch.set_num_threads(n);
    }

    /** Whether {@code type} has fast kernels in oneDNN on this CPU. */
    public static boolean hasOneDnn(DType type) {
        return torch.hasMKLDNN() && (type == DType.F32 || type == DType.BF16 && AVX512);
    }

    /** Looked for when it is first asked for, which float32 never does. */
    private static final class Amx {
        private static final boolean FOUND = AVX512
                && cpuInfo().stream().anyMatch(line -> line.startsWith("flags") && line.contains(" amx_bf16"));

        private Amx() {
        }
    }

    /** Whether this CPU multiplies matrices of bfloat16 in tiles (Intel's AMX). */
    static boolean hasAmx() {
        return Amx.FOUND;
    }

    /** The instruction set that the engine found, such as {@code AVX512}. */
    public static String cpuCapability() {
        return torch.get_cpu_capability().getString();
    }

    /** The version of libtorch and of its presets, such as {@code 2.13.0-1.5.14}. */
    public static String version() {
        try {
            return Loader.getVersion("org.bytedeco", "pytorch");
        } catch (IOException e) {
            return "unknown";
        }
    }

    public static boolean hasCuda() {
        return torch.cuda_is_available();
    }

    public static boolean hasMps() {
        return torch.hasMPS();
    }

    static void require(Device device) {
        if (device == Device.CUDA && !hasCuda()) {
            throw new IllegalArgumentException("no CUDA device here: this build or machine has only the CPU "
                    + "(build with -Pcuda, install CUDA and cuDNN; 'sfumato doctor' names what is missing)");
        }
        if (device == Device.MPS && !hasMps()) {
            throw new IllegalArgumentException("no MPS device here: it needs macOS on Apple silicon");
        }
    }

    /**
     * Real cores, not the virtual ones that share them: two operator threads on one core are slower than one.
     * Never more than the JVM may use.
     */
    static int physicalCores() {
        int usable = Runtime.getRuntime().availableProcessors();
        Set<String> cores = new HashSet<>();
        String socket = "";
        for (String line : cpuInfo()) {
            if (line.startsWith("physical id")) {
                socket = line;
            } else if (line.startsWith("core id")) {
                cores.add(socket + line);
            }
        }
        return cores.isEmpty() ? usable : Math.min(cores.size(), usable);
    }

    /** What Linux says of its processors; nothing elsewhere. */
    private static List<String> cpuInfo() {
        Path file = Path.of("/proc/cpuinfo");
        try {
            return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }

    /** The engine's errors carry a stack of C++ frames after their first line. */
    public static String firstLine(Throwable e) {
        String text = String.valueOf(e.getMessage()).stripLeading();
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }
}
