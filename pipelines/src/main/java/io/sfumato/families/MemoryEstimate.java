package io.sfumato.families;

import com.sun.management.OperatingSystemMXBean;
import io.sfumato.NotEnoughMemory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The memory that a run will need at its peak, in bytes, told from configs before any tensor is read.
 *
 * @param count       pictures at once
 * @param width       in pixels, with {@code height} of what is drawn: of the model where the options left it open, 0 where they have no say
 * @param weights     the model's parameters in the type that it runs in
 * @param activations the most that is held at once between text and picture
 */
public record MemoryEstimate(int count, int width, int height, long weights, long activations) {
    /** The engine's own libraries and buffers. */
    private static final long RUNTIME = 280L << 20;

    /** The run, for messages: {@code "1 picture of 512x512"}. */
    public String what() {
        return count + (count == 1 ? " picture" : " pictures") + (width == 0 ? "" : " of " + width + "x" + height);
    }

    MemoryEstimate withSize(int width, int height) {
        return new MemoryEstimate(count, width, height, weights, activations);
    }

    MemoryEstimate withWeights(long weights) {
        return new MemoryEstimate(count, width, height, weights, activations);
    }

    public long total() {
        return weights + activations + RUNTIME;
    }

    /** @throws NotEnoughMemory if the whole does not fit into {@code available} bytes */
    public void require(long available) {
        if (total() > available) {
            throw new NotEnoughMemory(what(), total(), available);
        }
    }

    /** Bytes that this process can still get without swapping, as far as the system tells. */
    public static long available() {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        Path meminfo = Path.of("/proc/meminfo");
        if (!Files.isReadable(meminfo)) {
            return system.getFreeMemorySize();
        }
        // Linux's free memory leaves out the file cache, which it gives up when asked; a container's limit knows nothing of the machine.
        long machine = number(meminfo, "MemAvailable:\\s+(\\d+) kB", Long.MAX_VALUE >> 10) << 10;
        Path group = Path.of("/sys/fs/cgroup");
        long limit = number(group.resolve("memory.max"), "(\\d+)", Long.MAX_VALUE);
        long used = number(group.resolve("memory.current"), "(\\d+)", 0);
        long cache = number(group.resolve("memory.stat"), "inactive_file (\\d+)", 0);
        return Math.min(machine, Math.max(0, limit - used + Math.min(used, cache)));
    }

    private static long number(Path file, String pattern, long otherwise) {
        try {
            Matcher matcher = Pattern.compile(pattern).matcher(Files.isReadable(file) ? Files.readString(file) : "");
            return matcher.find() ? Long.parseLong(matcher.group(1)) : otherwise;
        } catch (IOException e) {
            return otherwise;
        }
    }
}
